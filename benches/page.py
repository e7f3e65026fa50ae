"""The page of a bench: what bench.sh measured, as tables and plots.

    page.py note RESULT.json TITLE GOAL [ABSENT...]       adds title and goal to a result, and prints its table
    page.py peak RESULTS FILE NAME LIMIT COUNT COMMAND... measures the most memory of a command
    page.py write RESULTS WHERE SCALE                     writes WHERE/DATE.md and its plots

GOAL is what ours may take of the fastest other, in percent; LIMIT, bytes for each of COUNT things.
"""

import datetime
import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

CURVES = {
    "crawl": ("files", "ms-crawl", "files"),
    "dups": ("files", "ms-crawl --hash dups | ms-dupes", "files"),
    "index": ("files", "ms-crawl --index, nothing has changed", "files"),
    "rows": ("rows", "ms-dupes", "records"),
}
# In milliseconds.
LONGEST_START = 2

PEERS = [
    ("b3sum", ["b3sum", "--version"]),
    ("fclones", ["fclones", "--version"]),
    ("czkawka_cli", ["czkawka_cli", "--version"]),
    ("jdupes", ["jdupes", "-v"]),
    ("rmlint", ["rmlint", "--version"]),
    ("rdfind", ["rdfind", "--version"]),
    ("fpart", ["fpart", "-V"]),
    ("exiftool", ["exiftool", "-ver"]),
    ("DuckDB", [sys.executable, "-c", "import duckdb; print(duckdb.__version__)"]),
    ("hyperfine", ["hyperfine", "--version"]),
]


def load(path):
    return json.loads(Path(path).read_text())


def note(path, title, goal, *absent):
    result = load(path)
    result["bench"] = {"title": title, "goal": float(goal) / 100 if goal else None, "absent": absent}
    Path(path).write_text(json.dumps(result, indent=1))
    ours, *peers = result["results"]
    print(f"\n{title}\n  {'':44} {'minimum':>8} {'median':>8} {'ours/its':>9}")
    print(f"  {ours['command']:44} {ours['min']:8.4f} {ours['median']:8.4f}")
    for peer in sorted(peers, key=lambda peer: peer["median"]):
        ratio = f"{ours['median'] / peer['median']:9.2f}" if result["bench"]["goal"] else ""
        print(f"  {peer['command']:44} {peer['min']:8.4f} {peer['median']:8.4f} {ratio}")
    for name in absent:
        print(f"  {name:44}   absent")


def size(text):
    number, unit = re.fullmatch(r"(\d+)(Mi)?", text).groups()
    return int(number) * (1 << 20 if unit else 1)


def peak(results, file, name, limit, count, *command):
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    own = 0
    while child.poll() is None:
        try:
            status = dict(line.split(":", 1) for line in open(f"/proc/{child.pid}/status"))
            own = max(own, int(status.get("RssAnon", "0 kB").split()[0]) << 10)
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.002)
    if child.returncode:
        sys.exit(f"bench: {name} failed")
    whole = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    limit = size(limit) if limit else None
    result = {"name": name, "own": own, "whole": whole, "limit": limit, "count": int(count)}
    Path(results, f"{file}.json").write_text(json.dumps({"peak": result}))
    print(f"  {name:44} {whole / 1e6:8.0f} MB, {own / 1e6:8.0f} MB of its own")


def number(value):
    return f"{value:,.0f}"


def verdict(ratio, goal):
    return f"{ratio:.2f} | {goal:.2f} | {'yes' if ratio <= goal else '**no**'}"


def races(results):
    """A row for each contest: the fastest other, by the median."""
    yield "| job | median | fastest other | its median | ratio of minima | ratio of medians | goal | met |"
    yield "|---|---:|---|---:|---:|---:|---:|---|"
    for result in results:
        bench = result.get("bench")
        if not bench or not bench["goal"]:
            continue
        ours, *peers = result["results"]
        if not peers:
            yield f"| {bench['title']} | {ours['median']:.3f} s | none is installed | | | | {bench['goal']:.2f} | |"
            continue
        best = min(peers, key=lambda peer: peer["median"])
        minima = ours["min"] / min(peer["min"] for peer in peers)
        ratio = verdict(ours["median"] / best["median"], bench["goal"])
        yield (
            f"| {bench['title']} | {ours['median']:.3f} s | {best['command']} | {best['median']:.3f} s "
            f"| {minima:.2f} | {ratio} |"
        )


def starts(results):
    """What the slowest of the tools takes to say its version."""
    for result in results:
        if result.get("bench", {}).get("title") == "Starting":
            slowest = max(result["results"], key=lambda tool: tool["median"])
            median = slowest["median"] * 1000
            met = "yes" if median <= LONGEST_START else "**no**"
            yield f"\nThe slowest to start is `{slowest['command']}`: {median:.2f} ms (goal {LONGEST_START} ms, met: {met})."


def details(results):
    for result in results:
        bench = result.get("bench")
        if not bench or (not bench["goal"] and "--version" not in result["results"][0]["command"]):
            continue
        yield f"\n### {bench['title']}\n"
        yield "| | runs | minimum | median | ours/its, medians |"
        yield "|---|---:|---:|---:|---:|"
        ours = result["results"][0]
        for peer in [ours, *sorted(result["results"][1:], key=lambda peer: peer["median"])]:
            ratio = f"{ours['median'] / peer['median']:.2f}" if bench["goal"] and peer is not ours else ""
            digits = 4 if peer["median"] < 0.1 else 3
            yield (
                f"| {peer['command']} | {len(peer['times'])} | {peer['min']:.{digits}f} s "
                f"| {peer['median']:.{digits}f} s | {ratio} |"
            )
        if bench["absent"]:
            yield f"\nNot installed: {', '.join(bench['absent'])}."


def peaks(results):
    rows = [result["peak"] for result in results if "peak" in result]
    if not rows:
        return
    yield "\n## Memory\n"
    yield "The most that one process held; its own is what was not mapped from a file.\n"
    yield "| | whole | its own | of its own for each | limit | met |"
    yield "|---|---:|---:|---:|---:|---|"
    for row in rows:
        each = row["own"] / row["count"]
        unit = lambda value: f"{number(value)} B" if row["count"] > 1 else f"{value / (1 << 20):.0f} MiB"
        limit = unit(row["limit"]) if row["limit"] else ""
        met = "" if not row["limit"] else "yes" if each <= row["limit"] else "**no**"
        yield (
            f"| {row['name']} | {row['whole'] / 1e6:.0f} MB | {row['own'] / 1e6:.0f} MB "
            f"| {unit(each)} | {limit} | {met} |"
        )


def points(results_dir):
    curves = {name: [] for name in CURVES}
    for path in results_dir.glob("curve-*.json"):
        _, name, at = path.stem.split("-")
        curves[name].append((int(at), load(path)["results"][0]["median"]))
    return {name: sorted(curve) for name, curve in curves.items() if curve}


def curve_tables(curves):
    yield "\n## Cost against size\n"
    yield "Medians, and microseconds for each file or record.\n"
    for name, curve in curves.items():
        _, title, things = CURVES[name]
        title = title.replace('|', '\\|')
        yield f"\n| {title}: {things} | seconds | µs each |"
        yield "|---:|---:|---:|"
        for at, seconds in curve:
            yield f"| {number(at)} | {seconds:.3f} | {seconds / at * 1e6:.2f} |"


def plot(curves, names, things):
    """Microseconds for each thing against their number, which goes by powers of ten."""
    from math import log10

    curves = {name: curves[name] for name in names if name in curves}
    if not curves:
        return None
    width, height, left, bottom, top, right = 640, 360, 60, 50, 20, 20
    ats = [at for curve in curves.values() for at, _ in curve]
    low, high = log10(min(ats)), log10(max(ats))
    most = max(seconds / at * 1e6 for curve in curves.values() for at, seconds in curve) * 1.1
    x = lambda at: left + (log10(at) - low) / ((high - low) or 1) * (width - left - right)
    y = lambda each: height - bottom - each / most * (height - bottom - top)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left} {top}V{height - bottom}H{width - right}" fill="none" stroke="black"/>',
        f'<text x="{width / 2}" y="{height - 10}" text-anchor="middle">{things}</text>',
        f'<text x="16" y="{height / 2}" transform="rotate(-90 16 {height / 2})" text-anchor="middle">µs for each</text>',
    ]
    for at in sorted(set(ats)):
        lines.append(f'<text x="{x(at):.0f}" y="{height - bottom + 18}" text-anchor="middle">{number(at)}</text>')
    for step in range(5):
        each = most * step / 5
        lines.append(f'<text x="{left - 6}" y="{y(each) + 4:.0f}" text-anchor="end">{each:.1f}</text>')
        lines.append(f'<path d="M{left} {y(each):.0f}H{width - right}" stroke="#ddd"/>')
    for (name, curve), colour in zip(curves.items(), ["#1b6ca8", "#c0392b", "#2e7d32"]):
        spots = [(x(at), y(seconds / at * 1e6)) for at, seconds in curve]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in spots)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in spots]
        a, b = spots[0]
        lines.append(f'<text x="{a + 8:.0f}" y="{b - 8:.0f}" fill="{colour}">{CURVES[name][1]}</text>')
    return "\n".join([*lines, "</svg>", ""])


def version(command):
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+(\.\d+)+", output.stdout + output.stderr)
    return found.group() if output.returncode == 0 and found else None


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1)) / (1 << 20)
    cpu = cpu.group(1) if cpu else platform.machine()
    return f"{os.cpu_count()} processors ({cpu}), {memory:.0f} GiB of memory, {platform.system()} {platform.release()}"


def order(path):
    jobs = ["hash", "read", "dups", "cold", "index", "stream", "rename", "copy", "ingest", "pack", "start", "memory"]
    job = path.stem.split("-")[0]
    return (jobs.index(job) if job in jobs else len(jobs), path.stem)


def write(results, where, scale):
    results_dir = Path(results)
    results = [load(path) for path in sorted(results_dir.glob("*.json"), key=order)]
    date = datetime.date.today().isoformat()
    curves = points(results_dir)
    where = Path(where)
    where.mkdir(parents=True, exist_ok=True)
    versions = [f"{name} {found}" for name, command in PEERS if (found := version(command))]
    lines = [f"# Beside others: {date}", "", f"What `make bench` measured on {machine()}."]
    if scale != "100":
        lines.append(f"Trees and streams had {scale} percent of their full size.")
    lines += [
        "Trees and commands are those of [bench.sh](bench.sh). The fastest other is that with the least median;",
        "a goal is the most that ours may take of its time.",
        "",
        f"Peers: {', '.join(versions)}.",
        "",
        *races(results),
        *starts(results),
    ]
    lines += peaks(results)
    if curves:
        lines += curve_tables(curves)
        for names, things in [(["crawl", "dups", "index"], "files"), (["rows"], "records")]:
            if picture := plot(curves, names, things):
                (where / f"{date}-{things}.svg").write_text(picture)
                lines += ["", f"![{things}]({date}-{things}.svg)"]
    lines += ["\n## All of them", *details(results)]
    (where / f"{date}.md").write_text("\n".join(lines) + "\n")
    print(f"\n{where / date}.md")


if __name__ == "__main__":
    {"note": note, "peak": peak, "write": write}[sys.argv[1]](*sys.argv[2:])
