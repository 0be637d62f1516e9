// Everything of tutti::multiprocessing: work and data in several processes.
#pragma once

#include "tutti/multiprocessing/connection.h"
#include "tutti/multiprocessing/reduction.h"
