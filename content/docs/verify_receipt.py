"""Recomputes a ByteSpike receipt from the published prices. Needs Python 3.8 and nothing else.

    python3 verify_receipt.py receipt.json prices.json keys.json
"""
import base64, datetime, hashlib, json, sys
from fractions import Fraction

# Each part of the usage, with the ways in which it may be counted: the quantity's name, what it counts, and the price
# components that may price it, the preferred one first. A part is charged in one of its ways, never in two.
PARTS = [
    [("input_tokens", "token", ["input", "text_input"]), ("characters", "character", ["text_input"]),
     ("rerank_units", "rerank_unit", ["rerank"])],
    [("cache_read_tokens", "token", ["cache_read", "text_input_cached"])],
    [("cache_read_explicit_tokens", "token", ["cache_read_explicit"])],
    [("cache_write_tokens", "token", ["cache_write_5m", "cache_write", "input", "text_input"])],
    [("cache_write_1h_tokens", "token", ["cache_write_1h", "cache_write", "input", "text_input"])],
    [("cache_write_12h_tokens", "token", ["cache_write_12h"])],
    [("output_tokens", "token", ["output", "text_output"])],
    [("reasoning_tokens", "token", ["reasoning"])],
    [("searches", "search", ["web_search"])],
    [("images", "image", ["image"]), ("image_output_tokens", "token", ["image_output"])],
    [("image_inputs", "image", ["image_input"]),
     ("image_input_tokens", "token", ["image_input", "text_input", "input"])],
    [("image_input_cached_tokens", "token", ["image_input_cached", "text_input_cached"])],
    [("audio_input_ms", "ms", ["audio_input"]), ("audio_input_tokens", "token", ["audio_input", "input"])],
    [("audio_output_ms", "ms", ["audio_output"]), ("audio_output_tokens", "token", ["audio_output"])],
    [("videos", "video", ["video"]), ("video_ms", "ms", ["video"]), ("video_tokens", "video_token", ["video_tokens"])],
    [("video_input_ms", "ms", ["video_input"])],
]
INPUT = ["input_tokens", "cache_read_tokens", "cache_read_explicit_tokens", "cache_write_tokens",
         "cache_write_1h_tokens", "cache_write_12h_tokens"]
# For price lists from before they carried their own: mornings and afternoons of weekdays in Beijing.
PEAK_HOURS = {"utc_offset_minutes": 480, "weekdays": [1, 2, 3, 4, 5], "days_off": [], "known_until": "2027-10-01",
              "minutes": [{"from": 540, "to": 720}, {"from": 840, "to": 1080}]}
# Seconds and minutes are counted in milliseconds.
MILLISECONDS = {"second": 1000, "minute": 60000}
faults = 0


def check(what, stated, computed):
    global faults
    fits = stated == computed
    faults += not fits
    print("fits " if fits else "WRONG", what + ":", computed if fits else f"stated {stated}, computed {computed}")


def nano(credits):
    """Credits with three decimals as billionths of a dollar."""
    return int(Fraction(credits) * 1000)


def side_of_day(peak, at_ms):
    """Whether it was peak, by the hours and holidays that are part of the price list."""
    local = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=at_ms, minutes=peak["utc_offset_minutes"])
    day, minute = local.date().isoformat(), local.hour * 60 + local.minute
    off = any(span["first"] <= day <= span["last"] for span in peak["days_off"]) or day >= peak["known_until"]
    hours = any(span["from"] <= minute < span["to"] for span in peak["minutes"])
    return "peak" if hours and not off and local.isoweekday() in peak["weekdays"] else "offpeak"


def applies(row, size, kind, at_ms, side):
    """Whether a price row is for a request with this much input and of this kind, held at this time."""
    tier, span = row["tier"], row["effective"]
    sizes = [name.lower() for name in tier.get("sizes", [])]
    return (tier.get("input_tokens_above", -1) < size <= tier.get("input_tokens_upto", size)
            and (not sizes or kind.get("size", "").lower() in sizes)
            and tier.get("quality", kind.get("quality", "")).lower() == kind.get("quality", "").lower()
            and all(tier.get(name, kind.get(name)) == kind.get(name) for name in ("audio", "video_input"))
            and span.get("from_ms", at_ms) <= at_ms < span.get("to_ms", at_ms + 1)
            and row.get("schedule", side) == side)


def price_of(rows, quantities, ways):
    """The quantity of the first way that was counted and has a price, and that price."""
    for name, counted, components in ways:
        fits = [row for row in rows if ("ms" if row["unit"] in MILLISECONDS else row["unit"]) == counted]
        for component in components:
            for row in fits:
                if quantities.get(name) and row["component"] == component:
                    return quantities[name], row
    raise LookupError("no price for " + ways[0][0])


def total(model, usage, at_ms, side):
    """The exact sum in trillionths of a dollar, and the lines it comes from."""
    size = sum(usage.get(part, 0) for part in INPUT)
    media = usage.get("media") or {}
    quantities = {**usage, **media}
    if any(row["component"] == "reasoning" for row in model["prices"]):
        quantities["output_tokens"] -= quantities["reasoning_tokens"]
    else:
        quantities["reasoning_tokens"] = 0
    rows = [row for row in model["prices"] if applies(row, size, media.get("kind", {}), at_ms, side)]
    exact, lines = Fraction(0), []
    for ways in PARTS:
        if any(quantities.get(name) for name, _, _ in ways):
            quantity, row = price_of(rows, quantities, ways)
            exact += Fraction(quantity * row["usd_pico"], MILLISECONDS.get(row["unit"], 1))
            lines.append((row["component"], str(quantity), row["usd_pico"]))
    return exact, lines


def recompute(receipt, export):
    held, charged, returned = (nano(receipt[name]["credits"]) for name in ("held", "charged", "returned"))
    check("held = charged + returned", held, charged + returned)
    if receipt["outcome"] != "settled":
        return check("charge of a call that did not land", charged, 0)
    check("price version", receipt["price"]["version"], export["version"])
    check("price hash", receipt["price"]["hash"], export["hash"])
    models = {name: model for model in export["models"] for name in [model["id"], *model.get("aliases", [])]}
    at = datetime.datetime.strptime(receipt["timing"]["held_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
    at_ms = (at - datetime.datetime(1970, 1, 1)) // datetime.timedelta(milliseconds=1)
    side = side_of_day(export.get("peak_hours", PEAK_HOURS), at_ms)
    names = [receipt["model"]["requested"], receipt["model"]["served"]]
    totals = [total(models[name], receipt["usage"], at_ms, side) for name in names if name in models]
    # The model that was asked for and the one that answered: the smaller total counts.
    exact, lines = min(totals, key=lambda priced: priced[0])
    written = [(line["component"], line["qty"], line["price_pico"]) for line in receipt["lines"]]
    check("lines", written, lines)
    # Rounded once, down, and never more than was held.
    check("charge in billionths of a dollar", charged, min(int(exact // 1000), held))


# Ed25519 verification as in RFC 8032, slow and plain: points are pairs, all arithmetic is modulo P.
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def point(data):
    y = int.from_bytes(data, "little")
    odd, y = y >> 255, y % 2**255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        raise ValueError("not a point of the curve")
    return (P - x if x % 2 != odd else x), y


def add(a, b):
    product = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, P)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P)
    return x % P, y % P


def times(factor, a):
    result = (0, 1)
    while factor:
        result, a, factor = (add(result, a) if factor % 2 else result), add(a, a), factor // 2
    return result


def signed_by(key, signature, message):
    start, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    digest = int.from_bytes(hashlib.sha512(start + key + message).digest(), "little")
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    return scalar < ORDER and times(scalar, base) == add(point(start), times(digest % ORDER, point(key)))


def check_signature(what, signature, message, keys, purpose):
    found = [key for key in keys if key["kid"] == signature["key_id"] and key["purpose"] == purpose]
    check(what + " names a published key", bool(found), True)
    for key in found:
        good = signed_by(base64.urlsafe_b64decode(key["x"] + "="), base64.b64decode(signature["value"]), message)
        check(what + " is genuine", good, True)


def main(receipt_file, prices_file, keys_file=None):
    receipt_text, prices_text = (open(name, encoding="utf-8").read() for name in (receipt_file, prices_file))
    receipt, prices = json.loads(receipt_text), json.loads(prices_text)
    recompute(receipt, prices["export"])
    if keys_file:
        keys = json.load(open(keys_file, encoding="utf-8"))["keys"]
        # What is signed is the bytes as they were served, without the signature itself.
        body = receipt_text.rpartition(',"signature":')[0] + "}"
        check_signature("signature of the receipt", receipt["signature"], body.encode(), keys, "receipt")
        export = prices_text.rpartition(',"signature":')[0][len('{"export":'):]
        check_signature("signature of the prices", prices["signature"], export.encode(), keys, "price_export")
    sys.exit(1 if faults else 0)


main(*sys.argv[1:])
