"""Writes an index in several files whose names, spellings and contents are as hostile as the kernel allows.

usage: rows.py ROWS SEED DIR
"""

import hashlib
import random
import sys
from pathlib import Path

# What a stream has for bytes that sort otherwise than their escapes: a backslash, a tab, bytes that are no UTF-8, and others.
PIECES = ["a", "b", "IMG_1", " ", "\\\\", "\\t", "\\n", "\\r", "\\x01", "\\xff", "\\xc3", "\\x7f", "é", "\U0001f600", "\"", "'",
          ",", "%", "$", "x41", ":", "-", "_", "~", ".", "\u202e", "z", "\\\\x41", "\\\\\\xfe", "\\xe2\\x80\\xa8"]
ROOTS = ["/data/photos", "/data/phone backup", "/Archive/0001", "/Archive2", "/data/duplicates/old", "/q", "nas:/data",
         "nas:/Archive", "10.0.0.7:/x", "nas:/"]
EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
NOTES = ["missing", "rotten", "date=mtime"]


def name(chance):
    return "".join(chance.choices(PIECES, k=chance.randint(1, 5)))


def directory(chance, roots):
    root = chance.choice(roots)
    below = [name(chance) for _ in range(chance.randint(0, 3))]
    return "/".join([root.rstrip("/"), *(part if part.strip(".") else part + "d" for part in below)])


def spelled(path, chance):
    """The same path in another spelling, now and then."""
    at = path.rfind("/")
    return path[:at] + chance.choice(["//", "/./", "/.//"]) + path[at + 1:] if chance.random() < 0.02 else path


def time(chance):
    return chance.choice(["-", "-0.500000000", f"{chance.randint(0, 2**31)}.{chance.randint(0, 10**9 - 1):09d}"])


def rows(count, seed, roots, names_hosts):
    chance = random.Random(seed)
    dirs = [directory(chance, roots) for _ in range(max(20, count // 50))]
    contents = max(10, count // 3)
    last = None
    for number in range(count):
        dir = chance.choice(dirs)
        content = chance.randint(0, contents)
        hash, size = hashlib.sha256(b"%d" % content).hexdigest(), content % 5000 + 1
        if content % 50 == 0:
            hash, size = EMPTY, 0
        host = dir.split(":")[0] + "/" if names_hosts else ""
        # A file with several names has one content.
        id = "-" if chance.random() < 0.1 else f"{host}{content % 3}:{content * 7 + chance.randint(0, 4)}"
        file = name(chance)
        path = spelled(f"{dir}/{file}{number}" if file.strip(".") else f"{dir}/f{number}", chance)
        # Few, and deep down: one at the top would protect everything.
        if chance.random() < 30 / count and dir.count("/") > 4:
            path = f"{dir}/.ms-protect"
        if last and chance.random() < 0.02:
            # The same path again: agreeing, knowing more or less, or contradicting.
            path = spelled(last, chance)
        if chance.random() < 0.05:
            hash = "-"
        columns = [path, hash, str(size), time(chance), id]
        if chance.random() < 0.05:
            columns += ["/x/dest", "-", chance.choice(NOTES)]
        elif chance.random() < 0.05:
            columns = columns[:chance.randint(3, 4)]
        last = path
        yield "\t".join(columns)


def main(count, seed, out):
    # One stream of hosts, and one of a single host: the two do not mix where something goes.
    for kind, roots in [("hosts", [root for root in ROOTS if ":" in root]), ("here", [root for root in ROOTS if ":" not in root]),
                        ("relative", ["photos", "./photos/x", "Archive", "duplicates", "sub/duplicates/x", "./nas:", "."])]:
        share = {"hosts": count // 2, "here": count // 2, "relative": count // 20}[kind]
        lines = list(rows(share, f"{seed} {kind}", roots, kind == "hosts"))
        for part in range(3):
            text = "".join(line + "\n" for line in lines[part::3])
            Path(out, f"{kind}.{part}.tsv").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
