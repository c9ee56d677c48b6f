# SPDX-License-Identifier: GPL-2.0-or-later
"""From single measurements to medians, ratios and tables (Markdown, as docs/PERFORMANCE.md has them)."""

import statistics

from methods import NAMES
from system import MIB

AVERAGED = ("seconds", "wire", "sent", "received", "client_cpu", "server_cpu", "other_cpu",
            "client_memory", "server_memory", "load")


def median(measurements):
    """One set of figures from those of several runs: the median of each, and their number."""
    figures = {key: statistics.median(m[key] for m in measurements) for key in AVERAGED}
    figures["runs"] = len(measurements)
    figures["fastest"] = min(m["seconds"] for m in measurements)
    figures["slowest"] = max(m["seconds"] for m in measurements)
    for side in ("client_programs", "server_programs"):
        figures[side] = {}
        for measurement in measurements:
            for program, peak in measurement[side].items():
                figures[side][program] = max(peak, figures[side].get(program, 0))
    return figures


def _table(header, rows):
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    lines = []
    for row in [header, ["-" * width for width in widths], *rows]:
        # Names to the left, figures to the right.
        cells = [str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("| " + " | ".join(cells) + " |")
    lines[1] = "|" + "|".join(" " + "-" * w + " " if i == 0 else " " + "-" * (w - 1) + ": "
                              for i, w in enumerate(widths)) + "|"
    return "\n".join(lines)


def _megabytes(count):
    return f"{count / 1e6:,.0f}"


def _mebibytes(count):
    return f"{count / MIB:.0f}"


def _ratio(a, b):
    return f"{a / b:.2f}" if b else "-"


COSTS = ("s", "s min-max", "wire MB", "client CPU s", "server CPU s", "client MiB", "server MiB", "runs")


def _costs(figures):
    return [f"{figures['seconds']:.1f}", f"{figures['fastest']:.1f}-{figures['slowest']:.1f}",
            _megabytes(figures["wire"]), f"{figures['client_cpu']:.1f}", f"{figures['server_cpu']:.1f}",
            _mebibytes(figures["client_memory"]), _mebibytes(figures["server_memory"]),
            figures["runs"]]


def comparison(results):
    """One table per link: the methods, and how p2v compares with each of them."""
    parts = []
    for link, methods in results["links"].items():
        ours = methods.get("p2v", {})
        rows = []
        for method, figures in methods.items():
            if "note" in figures:
                rows.append([NAMES[method], figures["note"], *[""] * (len(COSTS) + 1)])
                continue
            known = "seconds" in ours and method != "p2v"
            rows.append([NAMES[method], *_costs(figures),
                         _ratio(ours["seconds"], figures["seconds"]) if known else "",
                         _ratio(ours["wire"], figures["wire"]) if known else ""])
        parts.append(f"### {link}\n\n" + _table(["method", *COSTS, "p2v: time", "p2v: wire"], rows))
    return "\n\n".join(parts)


def growth(results):
    """Disk size, lanes and used data, each against the first of its kind."""
    parts = []
    for series in results["growth"]:
        first = {}
        rows = []
        for point in series["points"]:
            if "note" in point:
                rows.append([f"{point['label']}, {NAMES[point['method']]}", point["note"],
                             *[""] * len(COSTS)])
                continue
            base = first.setdefault(point["method"], point["figures"])
            rows.append([f"{point['label']}, {NAMES[point['method']]}", *_costs(point["figures"]),
                         _ratio(point["figures"]["seconds"], base["seconds"])])
        parts.append(f"### {series['title']}\n\n" + _table([series["what"], *COSTS, "to the first"], rows))
    return "\n\n".join(parts)


def limits(results):
    """The table of what the machine can do at all."""
    found = results["limits"]
    rows = [[f"one TCP connection, {link}", f"{rate / 1e6:,.0f}"] for link, rate in found["tcp"].items()]
    rows += [[f"ssh, one connection, unshaped, {name}", f"{rate / 1e6:,.0f}"]
             for name, rate in found["ssh"].items()]
    rows += [[f"{name}, one core", f"{rate / 1e6:,.0f}"] for name, rate in found["cipher"].items()]
    rows += [["zstd -1 of the used data, one core", f"{found['zstd_rate'] / 1e6:,.0f}"],
             ["reading the disk that is sent, cold", f"{found['read'] / 1e6:,.0f}"],
             ["writing and flushing where images go", f"{found['write'] / 1e6:,.0f}"]]
    return "### Limits\n\n" + _table(["what", "MB/s"], rows)


def floors(results):
    """For each link: how long the compressed used data takes at least, and how near p2v is."""
    found = results["limits"]
    rows = []
    for link, rate in found["tcp"].items():
        ours = results["links"].get(link, {}).get("p2v", {})
        floor = found["zstd_bytes"] / rate
        rows.append([link, _megabytes(found["zstd_bytes"]), f"{floor:.1f}",
                     f"{ours['seconds']:.1f}" if "seconds" in ours else "-",
                     _ratio(ours["seconds"], floor) if "seconds" in ours else "-"])
    return "### The used data through zstd -1, at the link's rate\n\n" + _table(
        ["link", "MB", "s at least", "p2v s", "ratio"], rows)


def memory(results):
    """The largest process of each program, in p2v's runs."""
    rows = {}
    for methods in results["links"].values():
        for side in ("client", "server"):
            for program, peak in methods.get("p2v", {}).get(f"{side}_programs", {}).items():
                if not program.startswith(("p2v-", "qemu-nbd", "sshd")):
                    continue
                rows[f"{side}: {program}"] = max(peak, rows.get(f"{side}: {program}", 0))
    return "### Peak memory of p2v's processes, the largest of each program\n\n" + _table(
        ["program", "MiB"], [[name, f"{peak / MIB:.1f}"] for name, peak in sorted(rows.items())])


def disk(results):
    plan, contents = results["disk"]["plan"], results["disk"]["contents"]
    return (f"Disk: {plan['size'] // MIB} MiB, files of {contents['in_use_mib']} MiB of which "
            f"{contents['noise_mib']} MiB do not compress, and {contents['deleted_mib']} MiB of deleted "
            f"files in the free space; {results['disk']['used'] / 1e6:,.0f} MB outside free blocks.")


def conditions(results):
    """What else went on, since a machine that is shared gives other figures."""
    runs = [f for methods in results["links"].values() for f in methods.values() if "seconds" in f]
    shares = [f["other_cpu"] / f["seconds"] for f in runs]
    return (f"{results['cpus']} cores ({results['cpu']}), Linux {results['kernel']}, "
            f"{results['ssh_version']}; {results['started']}. Load average while measuring: "
            f"{min(f['load'] for f in runs):.1f} to {max(f['load'] for f in runs):.1f}; everything but the "
            f"methods themselves, the kernel's own threads included, took {statistics.median(shares):.2f} "
            f"cores (median), at most {max(shares):.2f}.") if runs else ""


def document(results):
    parts = [f"`{results['command']}`", conditions(results), disk(results), comparison(results)]
    if results.get("limits"):
        parts += [limits(results), floors(results)]
    parts.append(memory(results))
    if results.get("growth"):
        parts.append(growth(results))
    parts += [f"* {note}" for note in results["notes"]]
    return "\n\n".join(part for part in parts if part) + "\n"
