"""The page of the report stage in a real browser."""

import json
import shutil

import pandas as pd
import pytest
from scipy.io import wavfile

from helpers.page import CHORALES, SAMPLES
from kantor import chorale
from kantor.notation import reading
from kantor.report import piano_roll

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("page"),  # they share what is built once
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Opened:
    """The page, and what it asked for and complained of on the way."""

    def __init__(self, browser, folder, **context):
        self.asked, self.complaints = [], []
        self.page = browser.new_context(accept_downloads=True, **context).new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.url = f"file://{folder}/reports/index.html"
        self.page.goto(self.url)
        self.page.wait_for_function(
            "[...document.querySelectorAll('article audio')].every((a) => a.duration > 0)"
            "&& [...document.querySelectorAll('article img')].every((i) => i.naturalWidth > 0)"
        )


@pytest.fixture
def opened(browser, folder):
    opened = Opened(browser, folder, viewport={"width": 1440, "height": 900}, locale="en-GB")
    yield opened
    opened.page.context.close()


def test_it_loads_from_a_file_without_network_or_complaint(opened):
    opened.page.wait_for_timeout(500)
    inside = ("blob:", "data:")
    assert [url for url in opened.asked if not url.startswith(inside)] == [opened.url]
    assert not opened.complaints


def test_every_player_lasts_as_long_as_its_sound_and_plays(opened, folder):
    for name in [*SAMPLES, *CHORALES]:
        opened.page.evaluate(f"document.getElementById('{name}').open = true")
        opened.page.wait_for_function(f"document.querySelector('#{name} audio').duration > 0")
        rate, samples = wavfile.read(folder / f"reports/samples/{name}.wav")
        lasts = opened.page.evaluate(f"document.querySelector('#{name} audio').duration")
        # An MP3 file has whole frames.
        assert lasts == pytest.approx(len(samples) / rate, abs=0.1 if "train" in name else 0.01)
        opened.page.evaluate(f"document.querySelector('#{name} audio').play()")
        opened.page.wait_for_function(f"document.querySelector('#{name} audio').currentTime > 0.2")
    playing = "[...document.querySelectorAll('audio')].filter((a) => !a.paused).length"
    assert opened.page.evaluate(playing) == 1, "two at once"


def test_a_piece_has_its_title_and_the_figures_and_versions_are_there(opened, folder):
    def text(selector):
        return opened.page.locator(selector).inner_text()

    assert text("#run h3") == "run" and text("#cold h3") == "Cold"
    assert text("#train_001 summary") == "Nun </script> & so fort, BWV 385"
    scored = json.loads((folder / "reports/metrics.json").read_text())["test"]
    figures = text("#the-figures")
    for loss in (scored["pieces"], scored["baselines"]["bigram"], *scored["voices"].values()):
        assert f"{loss['loss']:.3f}" in figures
    history = pd.read_csv(folder / "reports/evaluation/training.csv")
    assert f"{history['valid_loss'].iloc[-1]:.2f}" in text("#curve-about")
    assert opened.page.locator("#the-figures circle.valid_loss").count() == len(history)
    opened.page.evaluate("document.querySelectorAll('#the-run details').forEach((d) => d.open = 1)")
    assert "verovio:" in text("#the-run") and "architecture: row_gru" in text("#the-run")


def test_the_cursor_goes_with_the_sound_and_a_click_sets_it(opened, settings):
    cursor = "Number(document.querySelector('#cold .cursor').getAttribute('x1'))"
    begin = opened.page.evaluate(cursor)
    opened.page.evaluate(
        """window.asked = window.frames_ = 0;
        const ask = window.requestAnimationFrame;
        window.requestAnimationFrame = (what) => { asked += 1; return ask(what); };
        const tick = () => { frames_ += 1; ask(tick); };
        ask(tick);
        document.querySelector('#cold audio').play()"""
    )
    opened.page.wait_for_function(f"{cursor} > {begin} + 40")
    opened.page.evaluate("document.querySelector('#cold audio').pause()")
    asked, frames = opened.page.evaluate("[asked, frames_]")
    assert asked < 1.5 * frames + 10, "it is drawn more than once a frame"
    opened.page.wait_for_timeout(100)
    time, at = opened.page.evaluate(
        f"[document.querySelector('#cold audio').currentTime, {cursor}]"
    )
    rows_a_second = settings.render.tempo * chorale.ROWS_PER_QUARTER / 60
    assert at - begin == pytest.approx(time * rows_a_second * piano_roll.ROW, abs=2)
    box = opened.page.locator("#cold .roll").bounding_box()
    middle = {"x": box["width"] * 0.75, "y": box["height"] / 2}
    opened.page.locator("#cold .roll").click(position=middle)
    opened.page.wait_for_function(f"{cursor} > {begin} + 100")


def test_downloads_are_the_files_of_the_run(opened, folder, tmp_path):
    for kind in ("wav", "mid", "musicxml"):
        with opened.page.expect_download() as started:
            opened.page.click(f"#cold a[download='cold.{kind}']")
        started.value.save_as(tmp_path / f"cold.{kind}")
        original = folder / f"reports/samples/cold.{kind}"
        if kind == "wav":
            rates = [wavfile.read(path) for path in (tmp_path / "cold.wav", original)]
            assert rates[0][0] == rates[1][0] and (rates[0][1] == rates[1][1]).all()
        else:
            assert (tmp_path / f"cold.{kind}").read_bytes() == original.read_bytes()
            grid = chorale.read(folder / "reports/samples/cold.csv")
            assert (reading.read(tmp_path / f"cold.{kind}")[0] == grid).all()


def test_the_language_switches_and_begins_as_the_reader_s(opened, browser, folder):
    heading = opened.page.locator("#the-figures h2")
    assert heading.inner_text() == "How well it predicts"
    opened.page.get_by_role("button", name="Português").press("Enter")
    assert heading.inner_text() == "Quão bem ela prevê"
    assert opened.page.evaluate("document.documentElement.lang") == "pt"
    assert (
        opened.page.get_by_role("button", name="Português").get_attribute("aria-pressed") == "true"
    )
    assert "0,5" in opened.page.locator("#cold > p").first.inner_text()
    assert "ouvir" in opened.page.title()
    brazil = Opened(browser, folder, locale="pt-BR")
    assert brazil.page.locator("#the-figures h2").inner_text() == "Quão bem ela prevê"
    brazil.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_overflows(browser, folder, width, scheme):
    size = {"width": width, "height": 800}
    opened = Opened(browser, folder, viewport=size, color_scheme=scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = """[...document.querySelectorAll('body *')].filter((element) =>
        !element.closest('.wide, pre, svg, .spoken') &&
        element.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML)"""
    assert opened.page.evaluate(beyond) == []
    opened.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground_and_what_can_be_used_has_a_name(browser, folder, scheme):
    """WCAG 2.2, AA: a contrast of 4.5 for text and 3 for pictures, and a name for each control."""
    opened = Opened(browser, folder, color_scheme=scheme)
    colours = opened.page.evaluate(
        """['body', '.length', 'a', 'button[aria-pressed=false]'].map((selector) =>
            getComputedStyle(document.querySelector(selector)).color)
            .concat(getComputedStyle(document.documentElement).backgroundColor)"""
    )
    *texts, ground = colours
    assert all(contrast(text, ground) >= 4.5 for text in texts)
    named = opened.page.evaluate(
        """Object.fromEntries(['ground', 'prompt', 'ink', 'soprano', 'alto', 'tenor', 'bass'].map(
            (name) => [name, getComputedStyle(document.querySelector('.roll'))
                .getPropertyValue('--' + name)]))"""
    )
    for ground in ("ground", "prompt"):
        assert contrast(named["ink"], named[ground]) >= 4.5
        assert all(contrast(named[voice], named[ground]) >= 3 for voice in chorale.VOICES)
    nameless = opened.page.evaluate(
        """[...document.querySelectorAll('audio, .wide, [role=group]')].filter((element) =>
            !(element.getAttribute('aria-labelledby') ?? '').split(' ').every((id) =>
                document.getElementById(id)?.textContent.trim())).length"""
    )
    assert nameless == 0
    ids = opened.page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    opened.page.context.close()


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two CSS colours, as WCAG defines it."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of a CSS colour rgb(r, g, b) or #rrggbb, as WCAG defines it."""
    if colour.startswith("#"):
        shares = [value / 255 for value in bytes.fromhex(colour[1:])]
    else:
        shares = [int(part) / 255 for part in colour.strip("rgb()").split(",")]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * s for weight, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
