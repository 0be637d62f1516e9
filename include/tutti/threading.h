// All of Python's threading module.
#pragma once

#include "tutti/errors.h"
#include "tutti/threading/barrier.h"
#include "tutti/threading/condition.h"
#include "tutti/threading/event.h"
#include "tutti/threading/excepthook.h"
#include "tutti/threading/local.h"
#include "tutti/threading/lock.h"
#include "tutti/threading/rlock.h"
#include "tutti/threading/semaphore.h"
#include "tutti/threading/thread.h"
#include "tutti/threading/timer.h"
#include "tutti/time.h"
