#!/usr/bin/env bash
# Builds a small user project against tutti in each way there is: installed and found by CMake,
# installed and found by pkg-config, as a shared library, and fetched as a subproject.
#   check.sh SOURCE BUILD
set -euo pipefail
source=$1
build=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() {
  local output
  output=$("$@")
  [ "$output" = "installed tutti works" ] || { echo "$*: '$output'"; exit 1; }
}

configure() { cmake -G Ninja -DCMAKE_BUILD_TYPE=Release "$@" >/dev/null; }

cmake --install "$build" --prefix "$work/prefix" >/dev/null
configure -S "$here/user" -B "$work/found" -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/found" >/dev/null
run "$work/found/user"
[ "$("$work/found/explored")" = "race found" ] || { echo "explored: wrong"; exit 1; }
if cmake --build "$work/found" --target mixed >"$work/mixed.log" 2>&1; then
  echo "a program links both flavours"
  exit 1
fi
grep -q tutti_allows_one_flavour_in_a_program "$work/mixed.log" || { cat "$work/mixed.log"; exit 1; }
echo "find_package: ok"

libdir=$(dirname "$(find "$work/prefix" -name pkgconfig)")
# What CMake was told at install time is not what it was configured with: tell pkg-config.
pkg() { PKG_CONFIG_PATH="$libdir/pkgconfig" pkg-config --define-variable=prefix="$work/prefix" "$@" tutti; }
# shellcheck disable=SC2046
g++ -std=c++20 "$here/user/main.cpp" $(pkg --cflags) $(pkg --libs) -o "$work/with_pkg_config"
run "$work/with_pkg_config"
echo "pkg-config: ok"

# Each of the README's programs, up to its first chapter.
awk -v out="$work/readme" '/^## /{exit} /^```cpp$/{n++; in_it=1; next} /^```$/{in_it=0}
                           in_it{print > (out n ".cpp")}' "$source/README.md"
for n in 1 2; do
  # shellcheck disable=SC2046
  g++ -std=c++20 "$work/readme$n.cpp" $(pkg --cflags) $(pkg --libs) -o "$work/readme$n"
done
[ "$("$work/readme1")$("$work/readme2")" = "Thread-1 brought 12 apples1 4 9 42" ] ||
  { echo "one of the README's programs is wrong"; exit 1; }
echo "README: ok"

# One build for linking only, the quickest there is, serves both as a fetched subproject and as a
# shared library.
mkdir "$work/fetched"
cp "$here/user/main.cpp" "$work/fetched"
sed "s|@source@|$source|" "$here/user/fetched.cmake.in" >"$work/fetched/CMakeLists.txt"
configure -S "$work/fetched" -B "$work/fetched/build" -DCMAKE_BUILD_TYPE=None \
  -DBUILD_SHARED_LIBS=ON -DTUTTI_EXPLORE=OFF -DTUTTI_INSTALL=ON \
  -DCMAKE_INSTALL_PREFIX="$work/shared_prefix"
cmake --build "$work/fetched/build" >/dev/null
run "$work/fetched/build/user"
echo "FetchContent: ok"

cmake --install "$work/fetched/build" >/dev/null
configure -S "$here/user" -B "$work/found_shared" -DCMAKE_PREFIX_PATH="$work/shared_prefix"
cmake --build "$work/found_shared" >/dev/null
run "$work/found_shared/user"
echo "shared library: ok"
