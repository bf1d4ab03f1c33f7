"""A year of six solar sites on a coast that does not exist: the same on every start, since it is made with a seed."""

import math
import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

FIRST, LAST = date(2025, 10, 1), date(2026, 9, 30)
DAYS = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]


@dataclass(frozen=True)
class Site:
    key: str
    name: str
    peak: int  # kWp
    exposure: float  # how much of the coast's weather it gets
    tariff: float  # euro for a kWh


SITES = {
    site.key: site
    for site in (
        Site("harbour", "Harbour sheds", 840, 0.95, 0.112),
        Site("ferry", "Ferry terminal", 310, 0.90, 0.124),
        Site("school", "Dune school", 96, 1.00, 0.131),
        Site("farm", "Marsh farm", 1250, 1.04, 0.087),
        Site("dairy", "Dairy", 480, 1.01, 0.109),
        Site("depot", "Bus depot", 620, 0.93, 0.118),
    )
}


@dataclass(frozen=True)
class Day:
    date: date
    sun: float  # kWh/m²
    energy: float  # kWh
    available: float  # of the day, 0 to 1


@cache
def year(key: str) -> tuple[Day, ...]:
    """Return every day of a site."""
    site = SITES[key]
    noise = random.Random(f"2026 {key}")
    down, days = 0, []
    for day, sky in zip(DAYS, _skies()):
        if down == 0 and noise.random() < 0.012:
            down = noise.randint(1, 4)
        available = 1.0 if down == 0 else noise.uniform(0.0, 0.6)
        down = max(down - 1, 0)
        sun = sky * site.exposure * noise.uniform(0.96, 1.04)
        ratio = 0.86 - 0.05 * max(math.sin(_season(day)), 0) + noise.gauss(0, 0.012)
        days.append(Day(day, round(sun, 2), round(sun * site.peak * ratio * available, 1), round(available, 3)))
    return tuple(days)


def between(key: str, first: date, last: date) -> list[Day]:
    """Return the days of a site from first to last, both included."""
    return [day for day in year(key) if first <= day.date <= last]


def _season(day: date) -> float:
    return 2 * math.pi * (day.timetuple().tm_yday - 80) / 365


@cache
def _skies() -> tuple[float, ...]:
    """Return the coast's irradiation, day by day: a season, and weather that lasts for some days."""
    weather, cloud, skies = random.Random("2026 coast"), 0.5, []
    for day in DAYS:
        cloud = min(max(0.72 * cloud + 0.28 * weather.random() + weather.gauss(0, 0.09), 0.0), 1.0)
        clear = 4.1 + 3.3 * math.sin(_season(day))
        skies.append(clear * (1 - 0.72 * cloud))
    return tuple(skies)
