#include "board.h"

#include "rules/move.h"

void Board::make(const Move& move) {
  places_[static_cast<unsigned>(move.from)] = Piece::none;
  places_[static_cast<unsigned>(move.to)] = move.piece;
}
