// Writers put numbers into a queue, each in a process of its own; the program gets them, until each
// writer has said that it was its last.
//
//     writer 1: 1 2 3 4 5
//     writer 2: 1 2 3 4 5
//     writer 3: 1 2 3 4 5
#include <tutti/multiprocessing.h>
#include <tutti/tutti.h>

#include <iostream>
#include <vector>

using namespace tutti;

constexpr int writers = 3;
constexpr int numbers = 5;
// What a writer puts after its last number.
constexpr int end = 0;

struct Note {
  int writer;
  int number;
};

void put_numbers(multiprocessing::Queue<Note> notes, int writer) {
  for (int number = 1; number <= numbers; ++number) notes.put({writer, number});
  notes.put({writer, end});
}

int main() {
  multiprocessing::Queue<Note> notes;
  for (int writer = 1; writer <= writers; ++writer) {
    multiprocessing::Process(put_numbers, notes, writer).start();
  }
  std::vector<std::vector<int>> got(writers + 1);
  for (int running = writers; running > 0;) {
    const Note note = notes.get();
    if (note.number == end) {
      --running;
    } else {
      got[static_cast<std::size_t>(note.writer)].push_back(note.number);
    }
  }
  for (int writer = 1; writer <= writers; ++writer) {
    std::cout << "writer " << writer << ":";
    for (const int number : got[static_cast<std::size_t>(writer)]) std::cout << " " << number;
    std::cout << "\n";
  }
}
