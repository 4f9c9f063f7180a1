"""Lines of text to train tokenizers on and to compare them with: what lies on any Debian machine with Python
and Go (sources in Python, Perl, C, C++, Go and shell, manuals, message catalogues in 190 languages), and made-up lines of what such text does not have. The lines
that are kept in this folder are of Python's standard library, of the samples below and made up."""
import glob
import gettext
import gzip
import os
import random
import shutil
import sysconfig
import unicodedata

POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
ASSIGNED = [c for c in POINTS if unicodedata.category(chr(c)) not in ("Cn", "Co")]
MARKS = [c for c in ASSIGNED if unicodedata.category(chr(c)).startswith("M")]
COMBINING = [c for c in ASSIGNED if unicodedata.combining(chr(c))]
COMPOSED = [c for c in ASSIGNED if unicodedata.normalize("NFD", chr(c)) != chr(c)]
SPACES = [c for c in ASSIGNED if chr(c).isspace()]
NUMBERS = [c for c in ASSIGNED if unicodedata.category(chr(c)).startswith("N")]
EMOJI = [c for c in ASSIGNED if 0x1F300 <= c < 0x1FAF0 or 0x2600 <= c < 0x27C0]
CONTROL = [c for c in range(0x20)] + [0x7F] + list(range(0x80, 0xA0)) + [0xAD, *range(0x200B, 0x2010), 0x2028, 0x2029,
           *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0xFFF9, 0xFFFC]
# Valid UTF-8 all of it, but what broken text looks like.
BROKEN = ["\ufffd", "\ufffe", "\uffff", "\U0010ffff", "\U0001fffe", "\ufdd0", "\ufeff", "Ã©", "â€™", "ï¿½", "ð\x9f\x98\x80",
          "\ue000", "\U000f0000", "\U00100000", "\x00", "\u0378", "\ud7ff", "\xc2\xa0", "\u2028", "\x1b[31m", "\\ud83d", "%E2%82"]
SCRIPTS = [(0x41, 0x5B), (0x61, 0x7B), (0xC0, 0x180), (0x370, 0x400), (0x400, 0x500), (0x531, 0x590), (0x590, 0x600),
           (0x600, 0x700), (0x700, 0x780), (0x900, 0x980), (0x980, 0xA00), (0xB80, 0xC00), (0xD00, 0xD80), (0xE00, 0xE80),
           (0xF00, 0xFD0), (0x1000, 0x10A0), (0x10A0, 0x1100), (0x1100, 0x1200), (0x1200, 0x1380), (0x1780, 0x17F0),
           (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2200), (0x2200, 0x2300), (0x2500, 0x2600), (0x3040, 0x3100),
           (0x4E00, 0x5400), (0xAC00, 0xAE00), (0xD7B0, 0xD800), (0xF900, 0xFB00), (0xFB00, 0xFE00), (0xFF00, 0xFFF0),
           (0x10400, 0x10450), (0x11100, 0x11150), (0x11930, 0x11950), (0x1D400, 0x1D500), (0x1E900, 0x1E960), (0x20000, 0x20100)]

# Old texts, pangrams and plain sentences.
SAMPLES = """\
The quick brown fox jumps over the lazy dog. It's 7:45, they've left, and she'll say: "I don't know."
Voix ambiguë d'un cœur qui, au zéphyr, préfère les jattes de kiwis. L'été dernier, où étiez-vous ?
Falsches Üben von Xylophonmusik quält jeden größeren Zwerg. Straße, Maß, ÄÖÜ.
El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío; añoraba a su querido cachorro. ¿Qué? ¡Sí!
Pchnąć w tę łódź jeża lub ośm skrzyń fig. Zażółć gęślą jaźń.
Příliš žluťoučký kůň úpěl ďábelské ódy. Nechť již hříšné saxofony ďáblů rozezvučí síň.
Pijamalı hasta yağız şoföre çabucak güvendi. İstanbul'da ılık bir gün.
Tiếng Việt có sáu thanh điệu; hôm nay trời đẹp quá, chúng ta đi dạo nhé!
Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний.
Жебракують філософи при ґанку церкви в Гадячі, ще й шатро їхнє п'яне знаємо.
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Μῆνιν ἄειδε θεὰ Πηληϊάδεω Ἀχιλῆος οὐλομένην
Բել դղյակի ձախ ժամն օֆ ազգությանը ցպահանջ չճշտած վնաս էր եւ փառք։
דג סקרן שט בים מאוכזב ולפתע מצא חברה. בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם וְאֵת הָאָרֶץ
نصٌّ حكيمٌ لهُ سِرٌّ قاطِعٌ وَذُو شَأنٍ عَظيمٍ مكتوبٌ على ثوبٍ أخضرَ ومُغلفٌ بجلدٍ أزرق. ١٢٣٤٥
بنی‌آدم اعضای یک پیکرند، که در آفرینش ز یک گوهرند. می‌خواهم ۱۲۳
ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले विष्णुवतार भगवान श्रीराम। १२३
সকল মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।
யாதும் ஊரே யாவரும் கேளிர் தீதும் நன்றும் பிறர்தர வாரா
മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും അന്തസ്സോടും സ്വാതന്ത്ര്യത്തോടുംകൂടി ജനിച്ചിട്ടുള്ളവരാണ്.
เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน
ལྷ་སའི་གནམ་གཤིས་བཟང་པོ་འདུག །
သီဟိုဠ်မှ ဉာဏ်ကြီးရှင်သည် အာယုဝဍ္ဎနဆေးညွှန်းစာကို
ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით.
ሰላም ለዓለም፤ እንዴት ነህ? ዛሬ ጥሩ ቀን ነው።
天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。寒來暑往，秋收冬藏。
人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，2024年3月15日。
いろはにほへと ちりぬるを わかよたれそ つねならむ うゐのおくやま けふこえて あさきゆめみし ゑひもせす
東京タワーは高さ３３３メートルです。カタカナ、ｶﾀｶﾅ、ひらがな！
키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. 나랏말싸미 듕귁에 달아
def main(argv: list[str]) -> int:\treturn sum(int(x, 16) for x in argv[1:] if x.startswith("0x"))
if (a[i] != NULL && *p++ == 0xFFu) { fprintf(stderr, "%s:%d: error\\n", __FILE__, __LINE__); goto out; }
        for (const [key, value] of Object.entries(map)) {    // 12 + 34 == 46
SELECT id, COUNT(*) AS n FROM "users" WHERE email LIKE '%@example.com' GROUP BY 1 HAVING n >= 10;
https://example.org/a/b_c-d.html?q=%E4%BD%A0&lang=zh-CN#section-3.14159""".split("\n")


def documents(per_kind=4000, everything=True):
    """Yields lines of real text of every kind, in a fixed order."""
    yield from SAMPLES * 20
    stdlib = sysconfig.get_path("stdlib")
    kinds = [
        sorted(glob.glob(stdlib + "/*.py") + glob.glob(stdlib + "/asyncio/*.py") + glob.glob(stdlib + "/email/*.py")),
        sorted(glob.glob("/usr/share/man/man[1-8]/*.gz")),
        *(sorted(glob.glob(d + "/man[1-8]/*.gz")) for d in sorted(glob.glob("/usr/share/man/*/"))),
        sorted(glob.glob("/usr/share/doc/*/copyright")),
        sorted(glob.glob("/usr/share/perl/5*/**/*.p[lm]", recursive=True)),
        sorted(glob.glob("/usr/share/perl/5*/pod/*.pod") + glob.glob("/usr/share/mime/packages/*.xml")
               + glob.glob("/usr/share/applications/*.desktop")),
        sorted(glob.glob("/usr/include/*.h") + glob.glob("/usr/include/c++/*/*") + glob.glob("/usr/include/linux/*.h")),
        sorted(glob.glob(os.path.join(os.path.dirname(os.path.realpath(shutil.which("go") or "go")), "../src/*/*.go"))),
        sorted(glob.glob("/usr/share/doc/*/examples/*") + glob.glob("/usr/share/bash-completion/completions/*")
               + glob.glob("/etc/init.d/*") + glob.glob("/usr/lib/git-core/*.sh")),
    ]
    for paths in kinds if everything else kinds[:1]:
        lines = []
        for path in paths:
            opener = gzip.open if path.endswith(".gz") else open
            try:
                with opener(path, "rt", encoding="utf-8") as f:
                    lines += f.read().split("\n")
            except (UnicodeDecodeError, OSError, EOFError):
                continue
            if len(lines) > 20 * per_kind:
                break
        random.Random(len(paths)).shuffle(lines)
        yield from lines[:per_kind]
    for language in sorted(glob.glob("/usr/share/locale/*/LC_MESSAGES")) if everything else []:
        lines = []
        for path in sorted(glob.glob(language + "/*.mo"), key=lambda p: (os.path.getsize(p), p))[-3:]:
            try:
                with open(path, "rb") as f:
                    catalog = gettext.GNUTranslations(f)._catalog
            except (UnicodeDecodeError, OSError, ValueError, IndexError, LookupError):
                continue
            lines += [line for text in catalog.values() for line in str(text).split("\n") if line]
        random.Random(len(lines)).shuffle(lines)
        yield from lines[:per_kind // 10]


def chars(rng, pool, low, high):
    return "".join(chr(rng.choice(pool)) for _ in range(rng.randint(low, high)))


def script(rng, low, high):
    first, end = rng.choice(SCRIPTS)
    return "".join(chr(rng.randrange(first, end)) for _ in range(rng.randint(low, high)))


def emoji(rng):
    base = chr(rng.choice(EMOJI))
    return rng.choice([
        base, base + "\ufe0f", base + chr(rng.randrange(0x1F3FB, 0x1F400)), base + "\u200d" + chr(rng.choice(EMOJI)) + "\u200d♂\ufe0f",
        chr(rng.randrange(0x1F1E6, 0x1F200)) + chr(rng.randrange(0x1F1E6, 0x1F200)), "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "❤️‍🔥"])


CONTRACTIONS = ["'s", "'S", "'t", "'re", "'RE", "'Ve", "'m", "'ll", "'LL", "'d", "'ſ", "’s", "'x", "''s", "'r", "'l", "'"]


def piece(rng, real, added):
    kind = rng.randrange(22)
    if kind < 5:
        line = rng.choice(real)
        first = rng.randrange(len(line) + 1)
        return line[first:first + rng.randint(1, 40)]
    return [
        lambda: script(rng, 1, 8),
        lambda: emoji(rng),
        lambda: chars(rng, SPACES, 1, 6),
        lambda: " " * rng.randint(1, 60),
        lambda: rng.choice(["\n", "\r\n", "\t", "\n\n\n", " \n ", "\r", "\t\t  ", "\u3000", "\u2028"]) * rng.randint(1, 3),
        lambda: chars(rng, CONTROL, 1, 4),
        lambda: rng.choice(BROKEN),
        lambda: rng.choice(["a", "o", "क", "が", "ᄀ", "가", "ֹ", "e", "ậ", "ɑ", "1"]) + chars(rng, COMBINING, 1, 6),
        lambda: chars(rng, MARKS, 1, 3),
        lambda: chars(rng, COMPOSED, 1, 4),
        lambda: "".join(chr(rng.randrange(0x1100, 0x1113)) + chr(rng.randrange(0x1161, 0x1176)) + rng.choice(["", chr(rng.randrange(0x11A7, 0x11C3))])
                        for _ in range(rng.randint(1, 3))),
        lambda: chars(rng, NUMBERS, 1, 7),
        lambda: str(rng.randrange(10 ** rng.randint(1, 20))),
        lambda: rng.choice(["I", "don", "WE", "σ", "x1", ""]) + rng.choice(CONTRACTIONS) + rng.choice(["", " ", "x", "S"]),
        lambda: rng.choice(added),
        lambda: rng.choice(["", " ", "   ", "\n", "a", "▁"]) + rng.choice(added) + rng.choice(["", " ", "  ", "\t", "b", "_"]),
        lambda: chars(rng, ASSIGNED, 1, 5),
    ][kind - 5]()


def synthetic(rng, real, added):
    """One made-up line."""
    kind = rng.random()
    if kind < 0.02:
        return chars(rng, POINTS, 0, 40)
    if kind < 0.04:
        return rng.choice("aAé ▁가中1.\n=") * rng.randint(1, 300) + rng.choice(["", "x"])
    if kind < 0.12:
        return rng.choice(real) + rng.choice(["", " ", "\n", emoji(rng)]) + rng.choice(real)
    if kind < 0.15:
        return unicodedata.normalize("NFD", rng.choice(real))
    return rng.choice(["", "", " "]).join(piece(rng, real, added) for _ in range(rng.randint(1, 9)))


def lines(count, added, seed=1, long_lines=20, everything=True):
    """count lines: three fifths real, the rest made up, a few of them very long."""
    rng = random.Random(seed)
    real = [line for line in documents(everything=everything) if line.strip()]
    rng.shuffle(real)
    taken = list(dict.fromkeys(real[:count]))[:count * 3 // 5]
    made = [synthetic(rng, real, added) for _ in range(count - len(taken) - long_lines)]
    for i in range(long_lines):
        made.append("".join(synthetic(rng, real, added) for _ in range(100 * (1 + i % 10)))
                    if i % 4 else rng.choice(["ab", "a", "\u0301", " ", "한", "x "]) * rng.randint(2000, 20000))
    out = taken + made
    rng.shuffle(out)
    return out
