"""Which exchanges are held against a vendor's description once for all that are the same to it."""

import json

from tests.exchanges import distinct


def line(**response: object) -> bytes:
    exchange = {
        "vendor": "stripe", "method": "GET", "path": "/v1/customers/cus_Ab12Cd34Ef56", "status": 200,
        "request_body": None, "request_content_type": "",
        "response_body": json.dumps(response), "response_content_type": "application/json",
    }  # fmt: skip
    return json.dumps(exchange).encode()


def kept(*lines: bytes) -> int:
    return len(list(distinct(lines)))


def test_what_differs_in_ids_and_moments_alone_is_the_same() -> None:
    assert kept(line(id="cus_Ab12Cd34Ef56", created=1_700_000_000), line(id="cus_Zz99Yy88Xx77", created=1_700_000_999)) == 1


def test_what_differs_in_a_word_a_number_a_name_or_a_type_is_not() -> None:
    words = [line(status=status) for status in ("requires_action", "requires_capture", "requires_payment_method")]
    assert kept(*words, line(status=1), line(status=2), line(status=True), line(state="requires_action")) == 7


def test_a_long_word_without_a_figure_is_no_id() -> None:
    assert kept(line(name="x" * 50_000), line(name="y" * 50_000)) == 2
