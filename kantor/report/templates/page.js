"use strict";
const files = JSON.parse(document.getElementById("the-files").textContent);
const ready = new Map();

async function bytes(name) {
  const { data, packed } = files[name];
  const raw = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  if (!packed) return raw;
  const unpacked = new Blob([raw]).stream().pipeThrough(new DecompressionStream(packed));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

// The address of a file inside the page; each is unpacked once, when it is first asked for.
function address(name) {
  if (!ready.has(name)) {
    const made = bytes(name).then((content) =>
      URL.createObjectURL(new Blob([content], { type: files[name].type })));
    ready.set(name, made);
  }
  return ready.get(name);
}

// Browsers made 1.0 of 32768, or of 32767 above zero; only the right one gives a whole number.
function sixteenBits(value) {
  const scaled = value * 32768;
  const whole = Math.round(scaled);
  return Math.abs(scaled - whole) < 0.01 ? whole : Math.round(value * 32767);
}

// FLAC to WAV, both of 16 bits: the same samples. The rate stands in bits 80 to 99 of FLAC's
// first block; decoded at any other, the samples would be made anew.
async function wav(name) {
  const flac = await bytes(name);
  const rate = (flac[18] << 12) | (flac[19] << 4) | (flac[20] >> 4);
  const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(flac.buffer);
  const samples = sound.getChannelData(0);
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((c, n) => view.setUint8(at + n, c.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt "); view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, n) => view.setInt16(44 + 2 * n, sixteenBits(value), true));
  return URL.createObjectURL(new Blob([view], { type: "audio/wav" }));
}

function speak(language) {
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll("[data-language]")) {
    const chosen = button.dataset.language === language;
    button.setAttribute("aria-pressed", chosen);
    if (chosen) document.title = button.dataset.title;
  }
}
for (const button of document.querySelectorAll("[data-language]"))
  button.addEventListener("click", () => speak(button.dataset.language));
if (navigator.language.startsWith("pt")) speak("pt");

async function fill(elements) {
  for (const element of elements)
    if (!element.src) element.src = await address(element.dataset.file);
}
const waiting = "audio[data-file], img[data-file]";
fill([...document.querySelectorAll(waiting)].filter((element) => !element.closest("details")));
for (const details of document.querySelectorAll("details"))
  details.addEventListener("toggle", () => fill(details.querySelectorAll(waiting)));

for (const link of document.querySelectorAll("a[download]"))
  link.addEventListener("click", async (event) => {
    if (link.href.startsWith("blob:")) return;
    event.preventDefault();
    const { wav: sound, file } = link.dataset;
    link.href = await (sound ? wav(sound) : address(file));
    link.click();
  });

const players = [...document.querySelectorAll("audio")];
for (const player of players)
  player.addEventListener("play", () =>
    players.forEach((other) => other === player || other.pause()));

// The cursor goes over the roll with the sound; a click on the roll sets the sound there.
for (const article of document.querySelectorAll("[data-rows-a-minute]")) {
  const [player, roll] = [article.querySelector("audio"), article.querySelector(".roll")];
  const [frame, cursor] = [roll.parentElement, roll.querySelector(".cursor")];
  const left = Number(cursor.getAttribute("x1"));
  const perSecond = (Number(roll.dataset.row) * Number(article.dataset.rowsAMinute)) / 60;
  let next = 0;
  const show = () => {
    cancelAnimationFrame(next);
    const x = Math.min(left + player.currentTime * perSecond, roll.viewBox.baseVal.width);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    if (player.paused) return;
    const at = (x / roll.viewBox.baseVal.width) * roll.clientWidth;
    const [begin, width] = [frame.scrollLeft, frame.clientWidth];
    if (at < begin || at > begin + 0.9 * width) frame.scrollLeft = at - 0.1 * width;
    next = requestAnimationFrame(show);
  };
  for (const happens of ["play", "seeked", "timeupdate"]) player.addEventListener(happens, show);
  roll.addEventListener("click", (event) => {
    const box = roll.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * roll.viewBox.baseVal.width;
    player.currentTime = Math.max(0, (x - left) / perSecond);
    player.play();
  });
}
