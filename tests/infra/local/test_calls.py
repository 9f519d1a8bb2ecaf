"""An environment's number in the addresses that it calls."""

import pytest

from infra.local.calls import address_for_environments, split_environment, with_number


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://127.0.0.1:5000", "/environments/7/"),
        ("http://127.0.0.1:5000/api/v10", "/environments/7/api/v10/channels/1"),
    ],
)
def test_an_address_of_an_environment_leads_to_the_path_without_its_number(url: str, path: str) -> None:
    address = with_number({"URL": address_for_environments(url)}, 7)["URL"]
    host = "http://127.0.0.1:5000"
    assert (host + path).startswith(address)
    number, rest = split_environment(path)
    assert (number, url.startswith(host + rest.partition("/channels")[0].rstrip("/"))) == (7, True)


def test_a_path_without_a_number_is_nobodys() -> None:
    assert split_environment("/api/v10/environments/7") == (None, "/api/v10/environments/7")
