// Version and ABI namespace: what every other header starts from.
#pragma once

#define TUTTI_VERSION_MAJOR 0
#define TUTTI_VERSION_MINOR 1
#define TUTTI_VERSION_PATCH 0

// Everything lives in this inline namespace, so that two incompatible builds of the library
// (another version, another floor) can never be mixed in one program: the linker refuses.
#ifndef TUTTI_ABI
#define TUTTI_ABI v0
#endif
