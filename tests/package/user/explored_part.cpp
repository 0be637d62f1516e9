// Compiled for the exploring flavour, and linked with a program for the usual one.
#include <tutti/tutti.h>

void wait_here() {
  tutti::threading::Event event;
  event.wait();
}
