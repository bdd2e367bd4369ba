"""Personal fields: encrypted, bound to person and field, found by keyed hash, masked."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changde.crypto.cipher import CannotDecrypt, blind_index, decrypt, encrypt
from changde.crypto.masking import mask_account, mask_id_number, mask_name, mask_phone

NUMBER = "430725194309046431"
KEY_2 = "k2:" + base64.b64encode(b"2" * 32).decode()


@given(st.text(min_size=1), st.integers(min_value=1))
def test_what_was_encrypted_opens_again(text, owner):
    assert decrypt(encrypt(text, field="person.id_number", owner=owner), field="person.id_number", owner=owner) == text


def test_a_ciphertext_moved_to_another_person_does_not_open():
    blob = encrypt(NUMBER, field="person.id_number", owner=1)
    with pytest.raises(CannotDecrypt):
        decrypt(blob, field="person.id_number", owner=2)


def test_a_ciphertext_moved_to_another_field_does_not_open():
    blob = encrypt(NUMBER, field="person.id_number", owner=1)
    with pytest.raises(CannotDecrypt):
        decrypt(blob, field="person.phone", owner=1)


def test_the_same_number_looks_different_each_time():
    assert encrypt(NUMBER, field="f", owner=1) != encrypt(NUMBER, field="f", owner=1)


def test_old_ciphertexts_open_after_the_key_was_rotated(settings):
    old = encrypt(NUMBER, field="f", owner=1)
    settings.FIELD_KEYS = [KEY_2, *settings.FIELD_KEYS]
    new = encrypt(NUMBER, field="f", owner=1)
    assert decrypt(old, field="f", owner=1) == decrypt(new, field="f", owner=1) == NUMBER


def test_without_the_key_it_stops_clearly(settings):
    blob = encrypt(NUMBER, field="f", owner=1)
    settings.FIELD_KEYS = [KEY_2]
    with pytest.raises(CannotDecrypt, match="no key"):
        decrypt(blob, field="f", owner=1)


@pytest.mark.parametrize("typed", ["430725194309046431", " 430725 194309 046431 ", "430725194309046431"])
def test_the_blind_index_finds_a_number_however_it_was_typed(typed):
    assert blind_index(typed, kind="id") == blind_index(NUMBER, kind="id")


def test_the_blind_index_of_two_kinds_differs():
    assert blind_index("18452795162", kind="phone") != blind_index("18452795162", kind="id")


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (mask_name, "张建华", "张*华"),
        (mask_name, "张华", "张*"),
        (mask_name, "欧阳建华", "欧**华"),
        (mask_id_number, NUMBER, "4307**********6431"),
        (mask_id_number, "430725430904643", "4307*******4643"),
        (mask_phone, "18452795162", "184****5162"),
        (mask_account, "6222021234567890", "************7890"),
        (mask_account, "12", "12"),
        (mask_id_number, None, ""),
    ],
)
def test_masks(mask, value, shown):
    assert mask(value) == shown
