// The Mandelbrot set. Rows through its middle take much longer than those at the edge, so if each
// thread had the same number of them, some would be done long before others; parallel_for gives out
// pieces as it goes. Fixed point, so that the picture is the same on every machine.
//
//     parallel_image [FILE.pgm]
//
// A part of what it prints:
//
//                                    ++..#.++##+..+. ..
//                                   ..+###############.
//                        ..       ..+#################..
//                        ..+#+#+...+###################.
//                      ...+#######+###################+
//            #######################################+.
//                      ...+#######+###################+
//                        ..+#+#+...+###################.
//                        ..       ..+#################..
//                                   ..+###############.
//                                    ++..#.++##+..+. ..
//     44498037 steps
#include <tutti/futures.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

using namespace tutti;

constexpr int width = 1120;
constexpr int height = 760;
constexpr int most_steps = 255;
constexpr std::int64_t one = 1 << 28;

/// How many steps it takes z → z² + c to leave the circle of radius 2; most_steps if it stays.
int steps_to_escape(std::int64_t c_real, std::int64_t c_imaginary) {
  std::int64_t real = 0;
  std::int64_t imaginary = 0;
  int steps = 0;
  for (; steps < most_steps; ++steps) {
    const std::int64_t real_squared = real * real / one;
    const std::int64_t imaginary_squared = imaginary * imaginary / one;
    if (real_squared + imaginary_squared > 4 * one) break;
    imaginary = 2 * real * imaginary / one + c_imaginary;
    real = real_squared - imaginary_squared + c_real;
  }
  return steps;
}

int main(int argc, char** argv) {
  std::vector<unsigned char> image(std::size_t{width} * height);
  futures::ThreadPoolExecutor pool;
  futures::parallel_for(pool, 0, height, [&](int y) {
    for (int x = 0; x < width; ++x) {
      const int steps = steps_to_escape(one * (4 * x - 3 * width) / (4 * 350),
                                        one * (2 * y - height) / (2 * 300));
      image[static_cast<std::size_t>(y * width + x)] = static_cast<unsigned char>(steps);
    }
  });

  if (argc > 1) {
    std::ofstream file(argv[1], std::ios::binary);
    file << "P5 " << width << ' ' << height << ' ' << most_steps << '\n';
    file.write(reinterpret_cast<const char*>(image.data()), std::ssize(image));
    if (!file.flush()) {
      std::fprintf(stderr, "parallel_image: %s: can't be written\n", argv[1]);
      return 1;
    }
  }

  for (int y = 20; y < height; y += 40) {
    std::string line;
    for (int x = 10; x < width; x += 20) {
      const int steps = image[static_cast<std::size_t>(y * width + x)];
      line += steps < 8 ? ' ' : steps < 16 ? '.' : steps < 64 ? '+' : '#';
    }
    std::printf("%s\n", line.substr(0, line.find_last_not_of(' ') + 1).c_str());
  }
  const auto total = futures::parallel_reduce(pool, image, 0, std::plus(),
                                              [](unsigned char steps) { return int{steps}; });
  std::printf("%d steps\n", total);
}
