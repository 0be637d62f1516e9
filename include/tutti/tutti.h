// All of tutti.
#pragma once

#include "tutti/atomic.h"
#include "tutti/errors.h"
#include "tutti/futures.h"
#include "tutti/inspect.h"
#ifndef TUTTI_FLOOR  // Interleavings are explored in one process.
#include "tutti/multiprocessing.h"
#endif
#include "tutti/pickle.h"
#include "tutti/queue.h"
#include "tutti/shared.h"
#include "tutti/signal.h"
#include "tutti/thread.h"
#include "tutti/threading.h"
#include "tutti/time.h"
