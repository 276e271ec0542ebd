"""Booking in Spanish, in a real browser."""

import re

import pytest

from tests.photo_files import jpeg

pytestmark = pytest.mark.browser


def typed(page, **fields):
    """Fill in what the price depends on, and other fields."""
    for name, text in {"zip_code": "99725", **fields}.items():
        page.fill(f"[name={name}]", text)
    page.select_option("[name=service]", "junk")
    page.check("[name=load_size][value=half]")


def test_spanish_page_books_a_job_in_spanish(site, open_page):
    page = open_page()
    page.goto(f"{site.url}/es/book/")
    typed(page, name="Ana Birch", phone="907-555-0166", address_line="12 Cushman", town="Ester")
    page.wait_for_selector("text=$360, todo incluido")
    assert page.input_value("[name=price]") == "$360 all-in"
    times = page.locator("[name=first_choice] option").all_inner_texts()
    assert times[0] == "Elija un horario"
    assert re.fullmatch(r"[A-ZÁÉ]\w+( \d+ de \w+)?, de \d.*m\.", times[1])
    assert times[-1].startswith("Ninguno de estos")
    page.select_option("[name=first_choice]", index=1)
    page.set_input_files(
        "[name=photos]", {"name": "1.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    )
    page.wait_for_selector("text=/^1 foto, .* en total\\.$/")
    assert page.locator(".photos li button").get_attribute("aria-label") == "Quitar Foto 1: 1.jpg"
    with page.expect_navigation(url=re.compile("/t/")):
        page.click(".send button")
    assert not [line for line in page.said if "Failed to load" not in line]


def test_form_without_scripts_stays_in_spanish(site, open_page):
    page = open_page(java_script_enabled=False)
    page.goto(f"{site.url}/es/book/")
    typed(page)
    page.click("[name=step]")
    assert page.locator("html").get_attribute("lang") == "es"
    assert "$360, todo incluido" in page.inner_text("#offer-price")
    typed(page, name="Ana", phone="12", address_line="12 Cushman", town=" ")
    page.click(".send button")
    assert "Revise estas respuestas" in page.inner_text("#problems")
    assert page.input_value("[name=language]") == "es"


def test_what_was_typed_stays_when_the_language_changes(site, open_page):
    page = open_page()
    page.goto(f"{site.url}/book/")
    typed(page, name="Ana Birch")
    page.wait_for_selector("text=$360 all-in")
    page.click(".top .other")
    page.wait_for_url(f"{site.url}/es/book/")
    page.wait_for_selector("text=$360, todo incluido")
    assert page.input_value("[name=name]") == "Ana Birch"
    assert page.input_value("[name=language]") == "es"


@pytest.mark.parametrize("path", ["/", "/book/", "/t/", "/t/x/", "/book/request/area/"])
def test_each_page_leads_to_itself_in_the_other_language_and_back(site, open_page, path):
    page = open_page()
    page.goto(site.url + path)
    title = page.title()
    page.click(".top .other")
    assert page.locator("html").get_attribute("lang") == "es"
    assert page.title() != title
    page.click(".top .other")
    assert (page.locator("html").get_attribute("lang"), page.title()) == ("en", title)
