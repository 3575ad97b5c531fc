"""``bench.html``: the ratios as bars with their targets, and how the cost grows."""

from base64 import b64encode

from ae_lab import plotting
from ae_lab.lab.display import as_png
from ae_lab.report.render.template import render_template
from ae_lab.upkeep.bench.comparison import ROWS


def bench_page(outcome) -> str:
    """The results of a run (an ``Outcome``) as self-contained HTML."""
    return render_template(
        "bench.html.j2",
        facts=outcome.facts,
        results=outcome.results,
        titles={row.name: row.title for row in ROWS},
        ratios=_ratios(outcome.results) if outcome.results else None,
        growth=_growth(outcome.growth) if outcome.growth else None,
        left_out=outcome.left_out,
    )


def _ratios(results) -> dict:
    fig, ax = plotting.figure(height=1.2 + 0.42 * len(results))
    y = range(len(results))[::-1]
    ratios = [r.ratio for r in results]
    spread = [[r.ratio - r.low for r in results], [r.high - r.ratio for r in results]]
    blue, orange = plotting.COLOURS[:2]
    colours = [{None: plotting.GREY, True: blue, False: orange}[r.reached] for r in results]
    ax.barh(y, [r - 1 for r in ratios], left=1, height=0.6, color=colours, alpha=0.75)
    ax.errorbar(ratios, y, xerr=spread, fmt="none", ecolor="black", capsize=3, lw=1.2)
    reach = [r.reach for r in results]
    ax.plot(reach, y, "D", color="black", markerfacecolor="white", label="target")
    ax.axvline(1, color=plotting.GREY, lw=1)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_yticks(y, [f"{r.row}: {r.against}" for r in results], size=8.5, parse_math=False)
    ax.set_xlabel("other / ours, logarithmic scale: above 1 we are faster (or smaller)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
    said = "; ".join(f"{r.row} against {r.against} {r.ratio:.2f}, {r.verdict}" for r in results)
    return _figure(fig, f"One bar per row: its ratio, and its target. {said}.")


def _growth(growth) -> dict:
    fig, axes = plotting.figure(1, len(growth), height=3, sharey=True)
    for i, (ax, (label, points)) in enumerate(zip(axes, growth.items(), strict=True)):
        sizes, seconds = list(points), list(points.values())
        ax.plot(sizes, seconds, color=plotting.COLOURS[i], marker=plotting.MARKERS[i])
        usual = [seconds[-1] * n / sizes[-1] for n in sizes]
        ax.plot(sizes, usual, color=plotting.GREY, linestyle="--", lw=1.2)
        ax.set(xlabel=label, xscale="log", yscale="log")
        ax.set_xticks(sizes, [f"{n:,}" for n in sizes], size=8)
        ax.minorticks_off()
    axes[0].set_ylabel("seconds per epoch")
    axes[0].yaxis.set_major_formatter("{x:g}")
    said = "; ".join(
        f"{label} " + ", ".join(f"{n:,}: {t:.3g} s" for n, t in points.items())
        for label, points in growth.items()
    )
    return _figure(fig, f"Seconds per epoch, both axes logarithmic. {said}.")


def _figure(fig, alt: str) -> dict:
    picture, width, height = as_png(fig)
    address = "data:image/png;base64," + b64encode(picture).decode()
    return {"address": address, "alt": alt, "width": width, "height": height}
