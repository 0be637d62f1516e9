// Python's queue module.
#pragma once

#include "tutti/queue/queue.h"
