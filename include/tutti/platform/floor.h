// The floor: the one header through which everything above reaches the machine.
//
// It names the types and functions that a floor provides; which floor is chosen at compile time.
// The default is Linux itself. Another floor (a scheduler of its own, virtual time) is a header
// with the same names, given as TUTTI_FLOOR together with another TUTTI_ABI.
#pragma once

#include "tutti/config.h"

#ifdef TUTTI_FLOOR
#include TUTTI_FLOOR
#else
#include "tutti/platform/linux.h"
#endif
