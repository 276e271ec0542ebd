from tracking.qr import qr_picture


def test_picture_is_drawn_in_the_page_and_does_not_spell_the_address():
    picture = qr_picture("https://qdn.example/track/AbC_12-x_y")
    assert picture.startswith('<svg aria-hidden="true" viewBox=')
    assert "style=" not in picture
    assert "qdn" not in picture


def test_addresses_have_pictures_of_their_own():
    assert qr_picture("https://qdn.example/track/a") != qr_picture("https://qdn.example/track/b")


def test_longest_token_fits():
    assert qr_picture(f"https://qdn.example/track/{'%2F' * 128}")
