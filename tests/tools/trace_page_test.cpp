// The page of a timeline in a real browser: that its script runs, and what it draws. Leaves
// pictures in the build folder (trace_page*.png), for people to look at.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/run_program.h"

namespace tests {

namespace fs = std::filesystem;

// Added to a copy of the page: reads the picture back, lane by lane, and leaves what it finds where
// the test can see it. The colours are the page's own.
const char* const probe = R"(<script>
{
  const chart = document.getElementById('chart');
  const pen = chart.getContext('2d');
  const style = getComputedStyle(document.documentElement);
  const colours = {};
  for (const name of ['running', 'blocked', 'spinning', 'sleep', 'hand-over']) {
    const text = style.getPropertyValue('--' + name).trim();
    colours[[1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)).join()] = name;
  }
  const lane = document.querySelector('#names li').getBoundingClientRect().height * devicePixelRatio;
  const all = pen.getImageData(0, 0, chart.width, chart.height).data;
  const found = [];
  for (const item of document.querySelectorAll('#names li')) {
    const size = lane * chart.width * 4;
    const pixels = all.subarray(found.length * size, (found.length + 1) * size);
    const seen = new Set();
    for (let i = 0; i < pixels.length; i += 4) {
      const name = colours[pixels[i] + ',' + pixels[i + 1] + ',' + pixels[i + 2]];
      if (name) seen.add(name);
    }
    found.push(item.textContent + ': ' + [...seen].sort().join(' '));
  }
  const said = document.createElement('pre');
  said.id = 'probe';
  said.textContent = found.join('\n') + '\nview ' + chart.dataset.begin + ' to ' + chart.dataset.end +
                     '\narrows ' + chart.dataset.arrows + '\n';
  document.body.append(said);
}
</script>)";

// Put before the page's own script: what is to be drawn for the next picture is drawn at once, so
// that the probe comes after it.
const char* const at_once = "<script>requestAnimationFrame = (draw) => draw();</script>";

class TracePage : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "tutti-page-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  // The page of a run of program_trace.
  fs::path page_of(const std::string& case_name) {
    const std::string file = folder_ / "trace.json";
    setenv("TUTTI_TRACE", file.c_str(), 1);
    const Ended traced = run_program(PROGRAM_TRACE, {case_name});
    unsetenv("TUTTI_TRACE");
    EXPECT_EQ(traced.code, 0) << traced.err;
    const Ended reported = run_program(TUTTI_COMMAND, {"trace", "report", file});
    EXPECT_EQ(reported.code, 0) << reported.err;
    return folder_ / "trace.html";
  }

  fs::path with_script(const fs::path& page, const std::string& script) {
    std::ifstream file(page);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::size_t body = text.find("<body>") + 6;
    std::ofstream(folder_ / "with_script.html")
        << text.substr(0, body) << at_once << text.substr(body) << "<script>" << script
        << "</script>" << probe;
    return folder_ / "with_script.html";
  }

  // Runs the browser on the page; fails the test if the page has anything to complain about.
  std::string browse(const fs::path& page, std::vector<std::string> options) {
    options.insert(
        options.begin(),
        {"--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
         "--disable-background-networking", "--enable-logging=stderr",
         "--user-data-dir=" + (folder_ / "browser").string(), "--window-size=1400,1000"});
    options.push_back("file://" + page.string());
    const Ended ended = run_program("/usr/bin/chromium", options);
    EXPECT_FALSE(ended.hung);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.err.find("CONSOLE"), std::string::npos) << ended.err;
    return ended.out;
  }

  // The page as its script has made it.
  std::string document(const fs::path& page) { return browse(page, {"--dump-dom"}); }

  void picture(const fs::path& page, const std::string& name,
               std::vector<std::string> options = {}) {
    const fs::path file = fs::path(PICTURES) / name;
    fs::remove(file);
    options.push_back("--screenshot=" + file.string());
    browse(page, options);
    ASSERT_TRUE(fs::exists(file));
    EXPECT_GT(fs::file_size(file), 10'000u);
  }

  static std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
  }

  // What the probe has left, line by line.
  static std::string probed(const std::string& document) {
    const std::string begin = "<pre id=\"probe\">";
    const std::size_t at = document.find(begin);
    if (at == std::string::npos) return "nothing";
    return document.substr(at + begin.size(), document.find("</pre>", at) - at - begin.size());
  }

  fs::path folder_;
};

TEST_F(TracePage, ShowsALaneForEachThreadInTheColoursOfItsStates) {
  const fs::path page = page_of("hand_over");
  const std::string text = document(with_script(page, ""));
  EXPECT_EQ(count(text, "<li title="), 2u);
  // Two joins and one lock; that is what the threads were blocked by.
  EXPECT_EQ(count(text, "data-subject="), 2u);
  EXPECT_EQ(count(text, "data-thread="), 2u);
  const std::string seen = probed(text);
  EXPECT_NE(seen.find("MainThread: blocked hand-over running"), std::string::npos) << seen;
  EXPECT_NE(seen.find("waiter: blocked hand-over running"), std::string::npos) << seen;
  EXPECT_NE(seen.find("view 0 to "), std::string::npos) << seen;
  picture(page, "trace_page.png");
  picture(page, "trace_page_dark.png", {"--force-dark-mode"});
}

TEST_F(TracePage, CanBeZoomedMovedAndSearchedByKeyboard) {
  // Each line: the keys pressed so far, and what is in view then.
  const std::string text = document(with_script(page_of("hand_over"), R"(
    const views = document.createElement('pre');
    const press = (keys) => {
      const chart = document.getElementById('chart');
      for (const key of keys) chart.dispatchEvent(new KeyboardEvent('keydown', {key}));
      views.textContent += `view ${chart.dataset.begin} to ${chart.dataset.end}; `;
    };
    press([]);
    press(['+', '+']);
    press(['ArrowRight']);
    press(['-', 'Home', '0']);
    press(['ArrowDown', 'ArrowDown', 'n']);
    document.body.append(views);)"));
  std::vector<std::pair<long, long>> views;
  const std::regex view("view (\\d+) to (\\d+); ");
  for (std::sregex_iterator it(text.begin(), text.end(), view), end; it != end; ++it) {
    views.emplace_back(std::stol((*it)[1]), std::stol((*it)[2]));
  }
  ASSERT_EQ(views.size(), 5u);
  const auto [all, zoomed, moved, all_again, at_wait] =
      std::tie(views[0], views[1], views[2], views[3], views[4]);
  EXPECT_EQ(all.first, 0);
  EXPECT_GT(zoomed.first, all.first);
  EXPECT_LT(zoomed.second, all.second);
  EXPECT_GT(moved.first, zoomed.first);
  EXPECT_GT(moved.second, zoomed.second);
  EXPECT_EQ(all_again, all);
  EXPECT_LT(at_wait.first, at_wait.second);
  // The second lane's first wait is told.
  EXPECT_NE(text.find("waiter: Lock 'accounts'"), std::string::npos);
  EXPECT_NE(text.find(", held by MainThread</p>"), std::string::npos);
}

TEST_F(TracePage, ShowsWhatOneThingBlockedAlone) {
  const std::string text = document(with_script(page_of("hand_over"), R"(
    [...document.querySelectorAll('button[data-subject]')]
        .find((button) => button.textContent.startsWith('join')).click();)"));
  EXPECT_EQ(count(text, "aria-pressed=\"true\" data-subject="), 1u);
  const std::string seen = probed(text);
  EXPECT_EQ(seen.find("waiter: blocked"), std::string::npos) << seen;
}

TEST_F(TracePage, CopesWithALongTrace) {
  setenv("TUTTI_TRACE_EVENTS", "400000", 1);
  const fs::path page = page_of("many_turns");
  unsetenv("TUTTI_TRACE_EVENTS");
  const std::string text = document(with_script(page, ""));
  EXPECT_EQ(count(text, "<li title="), 2u);
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("(\\d+) states")));
  EXPECT_GE(std::stoul(found[1]), 100'000u);
  EXPECT_NE(text.find("Zoom in to see the "), std::string::npos);
  const std::string seen = probed(text);
  EXPECT_NE(seen.find("MainThread: "), std::string::npos) << seen;
  EXPECT_NE(seen.find("running"), std::string::npos) << seen;
  picture(page, "trace_page_long.png");
}

}  // namespace tests
