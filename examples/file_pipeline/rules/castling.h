// Nothing leads here: nobody includes it.
#pragma once

#include "move.h"
