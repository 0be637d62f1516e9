// Processes as easy as threads, and what they exchange. Python: multiprocessing.
#pragma once

#include "tutti/multiprocessing/callable.h"
#include "tutti/multiprocessing/connection.h"
#include "tutti/multiprocessing/context.h"
#include "tutti/multiprocessing/fork_map.h"
#include "tutti/multiprocessing/joinable_queue.h"
#include "tutti/multiprocessing/process.h"
#include "tutti/multiprocessing/queue.h"
#include "tutti/multiprocessing/reduction.h"
#include "tutti/multiprocessing/segment.h"
#include "tutti/multiprocessing/shareable_list.h"
#include "tutti/multiprocessing/shared_memory.h"
#include "tutti/multiprocessing/simple_queue.h"
#include "tutti/multiprocessing/start_method.h"
#include "tutti/multiprocessing/worker_lost.h"
