from xml.etree import ElementTree

from kantor.report import line_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_every_line_goes_through_its_points_and_more_is_further_up():
    picture = ElementTree.fromstring(
        line_chart.lines({"train_loss": [[(1, 1.0), (2, 0.5), (3, 0.0)], [(1, 0.5)]]})
    )
    first, second = picture.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in first.get("points").split()]
    middle = (line_chart.LEFT + line_chart.RIGHT) / 2, (line_chart.TOP + line_chart.BOTTOM) / 2
    assert points == [
        (line_chart.LEFT, line_chart.TOP),
        middle,
        (line_chart.RIGHT, line_chart.BOTTOM),
    ]
    assert (
        second.get("class") == "train_loss" and second.get("points") == f"{line_chart.LEFT}.0,121.0"
    )
    words = [text.text for text in picture.iter(f"{SVG}text")]
    assert words == ["0.00", "0.25", "0.50", "0.75", "1.00", "1", "2", "3"]
