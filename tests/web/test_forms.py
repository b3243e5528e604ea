"""What becomes of a refused form."""

import pytest

from app.errors import AppError, ErrorKind, FieldError, invalid, not_found
from app.web.forms import clean_content, clean_title, refused


def test_errors_stand_by_their_fields_and_values_stay() -> None:
    errors = [FieldError("/username", "taken", "Taken."), FieldError("/password", "short", "Short.")]
    form = refused(AppError(ErrorKind.invalid, "x", "Taken.", errors=errors), username="alice")
    assert (form.error("username"), form.error("password"), form.error("")) == ("Taken.", "Short.", "")
    assert form.value("username") == "alice" and form.value("password") == ""
    assert form.status == 422


def test_an_error_of_no_field_is_the_whole_forms() -> None:
    form = refused(invalid("no_model", "No model.", "/elsewhere"), content="kept")
    assert form.error("") == "No model." and form.value("content") == "kept"


def test_a_limit_says_when_to_come_back() -> None:
    form = refused(AppError(ErrorKind.rate_limited, "queue_full", "Full.", retry_after=7), content="kept")
    assert (form.status, form.headers) == (429, {"Retry-After": "7"})


@pytest.mark.parametrize("error", [not_found(), AppError(ErrorKind.unauthenticated, "sign_in", "Sign in.")])
def test_what_is_not_about_the_form_is_no_forms_error(error: AppError) -> None:
    with pytest.raises(AppError):
        refused(error, content="x")


def test_text_is_kept_as_it_was_typed_but_for_line_ends() -> None:
    assert clean_content(" a\r\nb\rc\n ") == " a\nb\nc\n "
    assert clean_title(" Tea \r\n and\tmilk ") == "Tea and milk"
