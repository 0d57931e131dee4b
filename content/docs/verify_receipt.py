"""Recomputes a ByteSpike receipt from the published prices. Needs Python 3.8 and nothing else.

    python3 verify_receipt.py receipt.json prices.json keys.json
"""
import base64, datetime, hashlib, json, sys
from fractions import Fraction

# Each part of the usage, and the price components that may price it, the preferred one first.
PARTS = {
    "input_tokens": ["input"],
    "cache_read_tokens": ["cache_read"],
    "cache_write_tokens": ["cache_write_5m", "cache_write", "input"],
    "cache_write_1h_tokens": ["cache_write_1h", "cache_write", "input"],
    "output_tokens": ["output"],
    "reasoning_tokens": ["reasoning"],
    "searches": ["web_search"],
}
INPUT = ["input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"]
# Times are counted in milliseconds.
DIVISOR = {"second": 1000, "minute": 60000}
faults = 0


def check(what, stated, computed):
    global faults
    fits = stated == computed
    faults += not fits
    print("fits " if fits else "WRONG", what + ":", computed if fits else f"stated {stated}, computed {computed}")


def nano(credits):
    """Credits with three decimals as billionths of a dollar."""
    return int(Fraction(credits) * 1000)


def peak(at_ms):
    """Whether it is a weekday, 09:00 to 12:00 or 14:00 to 18:00 in Beijing."""
    at = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.timezone(datetime.timedelta(hours=8)))
    return at.weekday() < 5 and (9 <= at.hour < 12 or 14 <= at.hour < 18)


def applies(row, size, at_ms, stated):
    """Whether a price row is for a request with this much input, held at this time."""
    tier, span = row["tier"], row["effective"]
    if not tier.get("input_tokens_above", -1) < size <= tier.get("input_tokens_upto", size):
        return False
    if not span.get("from_ms", at_ms) <= at_ms < span.get("to_ms", at_ms + 1):
        return False
    if row.get("schedule") and peak(at_ms):
        # A public holiday in China is off-peak all day; the receipt's own line says which side it took.
        return (row["component"], row["usd_pico"]) in stated
    return row.get("schedule") != "peak"


def total(model, usage, at_ms, stated):
    """The exact sum in trillionths of a dollar, and the lines it comes from."""
    size = sum(usage[part] for part in INPUT)
    quantities = dict(usage)
    if any(row["component"] == "reasoning" for row in model["prices"]):
        quantities["output_tokens"] -= quantities["reasoning_tokens"]
    else:
        quantities["reasoning_tokens"] = 0
    exact, lines = Fraction(0), []
    for part, components in PARTS.items():
        if quantities[part]:
            rows = [row for row in model["prices"] if applies(row, size, at_ms, stated)]
            row = next(row for name in components for row in rows if row["component"] == name)
            exact += Fraction(quantities[part] * row["usd_pico"], DIVISOR.get(row["unit"], 1))
            lines.append((row["component"], str(quantities[part]), row["usd_pico"]))
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
    stated = {(line["component"], line["price_pico"]) for line in receipt["lines"]}
    names = [receipt["model"]["requested"], receipt["model"]["served"]]
    totals = [total(models[name], receipt["usage"], at_ms, stated) for name in names if name in models]
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
