#include "look/screen.h"

#include <curses.h>
#include <unistd.h>
#include <algorithm>
#include <clocale>
#include <cstdio>

namespace look {

namespace {

constexpr short ring_colours = 1;
constexpr int head_lines = 3;

void draw(int line, const std::string& text, attr_t look) {
  wattrset(stdscr, static_cast<int>(look));
  mvwaddnstr(stdscr, line, 0, text.c_str(), -1);
  // Bars go on to the edge.
  if ((look & A_REVERSE) != 0) {
    for (int x = getcurx(stdscr); x < COLS && getcury(stdscr) == line; ++x) waddch(stdscr, ' ');
  }
}

}  // namespace

std::unique_ptr<Screen> Screen::open() {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) return nullptr;
  std::setlocale(LC_CTYPE, "");  // NOLINT(concurrency-mt-unsafe): the program has one thread.
  SCREEN* terminal = newterm(nullptr, stdout, stdin);
  if (terminal == nullptr) return nullptr;
  cbreak();
  noecho();
  curs_set(0);
  keypad(stdscr, TRUE);
  scrollok(stdscr, FALSE);
  if (has_colors()) {
    start_color();
    use_default_colors();
    init_pair(ring_colours, COLOR_RED, -1);
  }
  return std::unique_ptr<Screen>(new Screen(terminal));
}

Screen::~Screen() {
  endwin();
  delscreen(static_cast<SCREEN*>(terminal_));
}

void Screen::show(const Frame& frame, const std::string& hint) {
  const int room = std::max(LINES - head_lines, 1);
  const int rows = static_cast<int>(frame.rows.size());
  first_row_ = std::clamp(first_row_, 0, std::max(rows - room, 0));
  werase(stdscr);
  draw(0, frame.summary, A_BOLD);
  draw(1, hint, A_DIM);
  draw(2, frame.titles, A_REVERSE);
  for (int i = 0; i < room && first_row_ + i < rows; ++i) {
    const Frame::Row& row = frame.rows[static_cast<std::size_t>(first_row_ + i)];
    draw(head_lines + i, row.text, row.is_in_ring ? A_BOLD | COLOR_PAIR(ring_colours) : A_NORMAL);
  }
  wrefresh(stdscr);
}

Screen::Key Screen::wait_for_key(std::chrono::milliseconds patience) {
  wtimeout(stdscr, static_cast<int>(patience.count()));
  const int page = std::max(LINES - head_lines, 1);
  switch (wgetch(stdscr)) {
    case ERR:
      return Key::none;
    case 'q':
    case 'Q':
      return Key::quit;
    case 'b':
      return Key::by_time;
    case 'c':
      return Key::by_cpu;
    case KEY_DOWN:
      ++first_row_;
      break;
    case KEY_UP:
      --first_row_;
      break;
    case KEY_NPAGE:
      first_row_ += page;
      break;
    case KEY_PPAGE:
      first_row_ -= page;
      break;
    case KEY_HOME:
      first_row_ = 0;
      break;
    default:
      break;
  }
  return Key::other;
}

}  // namespace look
