// What stands on a board.
#pragma once

enum class Piece { none, king, queen, rook, bishop, knight, pawn };
