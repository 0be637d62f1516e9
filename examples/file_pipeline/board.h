// A board: eight times eight places.
#pragma once

#include <vector>

#include "piece.h"
#include "rules/move.h"

class Board {
 public:
  void make(const Move& move);

 private:
  std::vector<Piece> places_ = std::vector<Piece>(64);
};
