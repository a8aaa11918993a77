"""Web events of a car insurer's site, made up, with the answer to what the model is to learn.

The data of the tutorial that this graph follows are not public. Every visitor drawn here is a
person with known properties; the event shows them as a form would: in several spellings, some
null, some absent, some nonsense. Whether the person asks for a quote is drawn from the
probability of `chance`, so that nobody can foresee it for sure.

Needs nothing but Python: `python graphs/car-insurance/generate.py -n 480 --seed 3` prints events.
"""

import argparse
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

Event = dict[str, Any]
Person = dict[str, Any]

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
VISIT = "web.webpagedetails.pageViews"
CLICK = "web.webinteraction.linkClicks"
BERLIN = timezone(timedelta(hours=1))

# What a person means -> how it may be spelt.
SPELLINGS: dict[str, dict[str, list[str]]] = {
    "carbrand": {
        "volkswagen": ["VW", "vw", "Volkswagen", " VW ", "VOLKSWAGEN"],
        "mercedes": ["Mercedes", "Mercedes-Benz", "MERCEDES "],
        "bmw": ["BMW", "bmw"],
        "audi": ["Audi", "AUDI", " audi"],
        "opel": ["Opel", "opel"],
        "skoda": ["Skoda", "ŠKODA", "Škoda"],
        "ford": ["Ford", "FORD"],
        "others": ["Toyota", "Tesla", "Lada", "Citroën", "?"],
    },
    "cartype": {
        "small": ["small", "Kleinwagen"],
        "sedan": ["sedan", "Limousine"],
        "estate": ["estate", "Kombi"],
        "suv": ["SUV"],
        "others": ["Cabrio", "Pickup"],
    },
    "country": {
        "de": ["DE", "Germany", "Deutschland"],
        "at": ["AT", "Austria"],
        "ch": ["CH", "Switzerland"],
        "others": ["FR", "PL", "Türkiye"],
    },
    "gender": {"female": ["f", "female", "w", "Frau"], "male": ["m", "male", "Herr"]},
    "leasing": {"yes": ["yes", "ja"], "no": ["no", "nein"], "notgiven": ["dataLayerNull"]},
    "nationality": {
        "de": ["German", "de"],
        "at": ["Austrian"],
        "ch": ["Swiss"],
        "others": ["Turkish"],
    },
    "primaryuser": {"me": ["me"], "partner": ["partner"], "child": ["child"]},
}
WEIGHTS = {
    "carbrand": [22, 10, 10, 11, 9, 9, 8, 21],
    "cartype": [28, 22, 20, 22, 8],
    "country": [70, 12, 10, 8],
    "gender": [48, 52],
    "leasing": [25, 55, 20],
    "nationality": [68, 10, 9, 13],
    "primaryuser": [70, 20, 10],
}
HOURS = [1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 7, 8, 7, 6, 6, 7, 8, 10, 11, 11, 9, 5, 2]


def visits(n: int, seed: int) -> list[tuple[Event, bool]]:
    """Return n events in the order of time, each with whether its person asked for a quote."""
    random = Random(seed)
    times = sorted(visit_time(random) for _ in range(n))
    return [visit(random, time) for time in times]


def visit_time(random: Random) -> datetime:
    """Return a moment in the four weeks, in the evening more often than at night."""
    hour = random.choices(range(24), HOURS)[0]
    return START + timedelta(
        days=random.randrange(28), hours=hour, milliseconds=random.randrange(3_600_000)
    )


def visit(random: Random, time: datetime) -> tuple[Event, bool]:
    """Return the event of one new person, and whether that person asked for a quote."""
    person = draw_person(random)
    quote = random.random() < chance(person, time)
    tenant: Event = {"identification": {"ecid": str(random.randrange(10**37, 10**38))}}
    if random.random() < 0.98:
        tenant["userInfo"] = told(random, person)
    zone = random.choices([UTC, BERLIN], [3, 1])[0]
    event = {
        "_id": f"{random.getrandbits(64):016x}",
        "timestamp": time.astimezone(zone).isoformat(timespec="milliseconds"),
        "eventType": random.choices([VISIT, CLICK], [95, 5])[0],
        "_experienceplatform": tenant,
    }
    return event, quote


def draw_person(random: Random) -> Person:
    """Return a person: age in years, kilometres in a year, and one meaning per text property."""
    person: Person = {
        name: random.choices(list(meanings), WEIGHTS[name])[0]
        for name, meanings in SPELLINGS.items()
    }
    person["age"] = min(95, 18 + int(random.gammavariate(3.0, 9.0)))
    person["km"] = 500 * round(random.lognormvariate(math.log(14_000), 0.6) / 500)
    return person


def chance(person: Person, time: datetime) -> float:
    """Return the probability that the person asks for a quote: a sum of reasons, then a logistic.

    Young drivers, leasing, many kilometres, evenings and weekends speak for it; a young driver of
    a large car asks most of all, and where the child drives, the parents compare.
    """
    young = person["age"] <= 25
    large = person["cartype"] in {"suv", "sedan"}
    reasons = [
        -1.9,
        1.0 * young - 0.7 * (person["age"] > 65),
        1.4 * (person["leasing"] == "yes") - 0.4 * (person["leasing"] == "no"),
        0.5 * min(person["km"], 60_000) / 10_000,
        0.8 * (person["carbrand"] in {"bmw", "audi", "mercedes"}),
        -0.6 * (person["carbrand"] == "others"),
        0.9 * (18 <= time.hour < 23),
        0.5 * (time.weekday() >= 5),
        1.5 * (young and large),
        1.2 * (person["primaryuser"] == "child"),
        -1.0 * (person["country"] == "others"),
    ]
    return 1 / (1 + math.exp(-sum(reasons)))


def told(random: Random, person: Person) -> Event:
    """Return what the person's form says: 6 % of the fields null, 4 % of them left out."""
    fields: Event = {"age": typed_age(random, person["age"]), "km": person["km"]}
    for name, meanings in SPELLINGS.items():
        fields[name] = random.choice(meanings[person[name]])
    kept: Event = {}
    for name, value in fields.items():
        fate = random.random()
        if fate >= 0.04:
            kept[name] = None if fate < 0.10 else value
    return kept


def typed_age(random: Random, age: int) -> str:
    """Return the age as text: 2 % no number at all, 1 % a number that no driver's age is."""
    fate = random.random()
    if fate < 0.02:
        return random.choice(["", "n/a", "dataLayerNull", "forty"])
    if fate < 0.03:
        return random.choice(["0", "3", "199", "999"])
    return str(age)


def main() -> None:
    """Print events, one per line."""
    parser = argparse.ArgumentParser(description="Print simulated web events as JSON Lines.")
    parser.add_argument("-n", type=int, default=480, help="how many events")
    parser.add_argument("--seed", type=int, default=3, help="the same seed, the same events")
    options = parser.parse_args()
    for event, _ in visits(options.n, options.seed):
        print(json.dumps(event, ensure_ascii=False))


if __name__ == "__main__":
    main()
