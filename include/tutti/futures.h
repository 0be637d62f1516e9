// Results that are not there yet, and pools that make them. Python: concurrent.futures.
#pragma once

#include "tutti/errors.h"
#include "tutti/futures/coroutine.h"
#include "tutti/futures/future.h"
#include "tutti/futures/parallel.h"
#include "tutti/futures/std_future.h"
#include "tutti/futures/thread_pool_executor.h"
#include "tutti/futures/wait.h"
