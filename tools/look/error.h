// Why another process can't be looked into.
#pragma once

#include <stdexcept>

namespace look {

/// what() says why not, and who may or what to do.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Others can't be looked into by this user.
struct NotPermitted : Error {
  using Error::Error;
};

}  // namespace look
