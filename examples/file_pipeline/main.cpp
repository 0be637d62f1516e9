#include <cstdio>

#include "board.h"

int main() {
  Board board;
  board.make({.piece = Piece::pawn, .from = 12, .to = 28});
  std::puts("e4");
}
