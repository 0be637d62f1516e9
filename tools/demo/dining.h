// A deadlock on purpose, and how it explains itself.
#pragma once

namespace demo {

/// Two philosophers take a fork each, and then want the other's. Prints the error that one of them
/// gets, and that both have eaten in the end.
void let_philosophers_dine();

}  // namespace demo
