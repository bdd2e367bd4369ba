"""What may be shown where nothing more is needed: masks of names, numbers, phones and accounts."""


def mask_name(name: str) -> str:
    """张建华 -> 张*华, 张华 -> 张*, 欧阳建华 -> 欧**华; empty stays empty."""
    name = name.strip()
    if len(name) <= 1:
        return name
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_id_number(number: str | None) -> str:
    """430725194309046431 -> 4307**********6431: county of registration and the last four remain."""
    if not number:
        return ""
    return number[:4] + "*" * (len(number) - 8) + number[-4:] if len(number) >= 15 else "*" * len(number)


def mask_phone(phone: str | None) -> str:
    """18452795162 -> 184****5162."""
    if not phone:
        return ""
    return phone[:3] + "*" * (len(phone) - 7) + phone[-4:] if len(phone) >= 8 else "*" * len(phone)


def mask_account(account: str | None) -> str:
    """Only the last four figures remain."""
    if not account:
        return ""
    return "*" * max(len(account) - 4, 0) + account[-4:]


# By the type a field of the registry has.
MASKS = {"id": mask_id_number, "certificate": mask_id_number, "phone": mask_phone, "account": mask_account}
