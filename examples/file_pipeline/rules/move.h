// A piece goes from one place to another.
#pragma once

#include "../piece.h"

struct Move {
  Piece piece;
  int from;
  int to;
};
