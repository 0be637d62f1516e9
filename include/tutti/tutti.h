// All of tutti.
#pragma once

#include "tutti/atomic.h"
#include "tutti/errors.h"
#include "tutti/futures.h"
#include "tutti/inspect.h"
#include "tutti/queue.h"
#include "tutti/shared.h"
#include "tutti/signal.h"
#include "tutti/thread.h"
#include "tutti/threading.h"
#include "tutti/time.h"
