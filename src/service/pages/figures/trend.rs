//! How a figure went: a small line in a row, a larger one with axes. Drawn on the server; colours come from the text.

use askama::Template;

use crate::locale::{Initial, Language, UnitSpace, period_short};
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorKind;
use crate::model::period::Period;

/// Periods of a trend.
const PERIODS: usize = 12;

/// A point of a drawing.
type Point = (f64, f64);

#[derive(Template)]
#[template(path = "spark.html")]
struct Spark {
    label: String,
    /// Coordinates of each unbroken line.
    lines: Vec<String>,
    /// Points without a neighbour.
    dots: Vec<(String, String)>,
    last: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "chart.html")]
struct Chart {
    label: String,
    lines: Vec<String>,
    dots: Vec<(String, String)>,
    /// Height and text of each line across.
    grid: Vec<(String, String)>,
    /// Place and text of each period.
    periods: Vec<(String, String)>,
    target: Option<(String, String)>,
    last: Option<(String, String, String)>,
}

/// Figures of one indicator and one scope up to a period, of its kind, oldest first.
pub(super) fn until<'f>(figures: impl IntoIterator<Item = &'f Figure>, period: Period) -> Vec<&'f Figure> {
    let same = |figure: &&Figure| figure.period.kind() == period.kind() && figure.period.start() <= period.start();
    let mut kept: Vec<&Figure> = figures.into_iter().filter(same).collect();
    kept.sort_by_key(|figure| figure.period.start());
    kept.split_off(kept.len().saturating_sub(PERIODS))
}

fn label(lang: Language, figures: &[&Figure]) -> String {
    let (initial, space) = (Initial::Upper, UnitSpace::NonBreaking);
    let said =
        figures.iter().map(|figure| format!("{} {}", lang.period(figure.period, initial), lang.value(figure, space)));
    format!("{}: {}", lang.words().trend, said.collect::<Vec<_>>().join("; "))
}

/// Least and most of what is drawn: room above and below, shares within 0 and 1.
fn bounds(figures: &[&Figure], target: Option<f64>) -> (f64, f64) {
    let values = figures.iter().filter_map(|figure| figure.value()).chain(target);
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return (0.0, 1.0);
    }
    if figures.first().is_some_and(|figure| figure.kind == IndicatorKind::Ratio) {
        let (low, high) = ((low * 10.0 - 0.2).floor() / 10.0, (high * 10.0 + 0.2).ceil() / 10.0);
        let (low, high) = (low.max(0.0), high.min(1.0));
        if high - low < 0.05 { ((high - 0.1).max(0.0), high.max(0.1)) } else { (low, high) }
    } else {
        (0.0, (high * 1.1).max(1.0))
    }
}

/// How far to the right one of several periods stands; a single one stands in the middle.
fn across(index: usize, count: usize, left: f64, right: f64) -> f64 {
    if count == 1 {
        return f64::midpoint(left, right);
    }
    #[expect(clippy::cast_precision_loss, reason = "there are twelve of them")]
    let share = index as f64 / (count - 1) as f64;
    left + (right - left) * share
}

/// Where figures stand in a drawing; `None` of nothing received.
fn points(figures: &[&Figure], (low, high): (f64, f64), left_top: Point, right_bottom: Point) -> Vec<Option<Point>> {
    let place = |index| across(index, figures.len(), left_top.0, right_bottom.0);
    let height = |value: f64| right_bottom.1 - (right_bottom.1 - left_top.1) * (value - low) / (high - low);
    figures.iter().enumerate().map(|(index, figure)| Some((place(index), height(figure.value()?)))).collect()
}

fn number(coordinate: f64) -> String {
    format!("{coordinate:.1}")
}

/// Unbroken lines, and points that stand alone.
fn drawn(points: &[Option<Point>]) -> (Vec<String>, Vec<(String, String)>) {
    let (mut lines, mut dots) = (Vec::new(), Vec::new());
    for stretch in points.split(Option::is_none) {
        let stretch: Vec<Point> = stretch.iter().flatten().copied().collect();
        match stretch[..] {
            [] => {}
            [(across, down)] => dots.push((number(across), number(down))),
            _ => {
                let places = stretch.iter().map(|(across, down)| format!("{},{}", number(*across), number(*down)));
                lines.push(places.collect::<Vec<_>>().join(" "));
            }
        }
    }
    (lines, dots)
}

/// A small line; nothing where there is one period alone.
pub(super) fn spark(lang: Language, figures: &[&Figure]) -> Option<String> {
    if figures.len() < 2 {
        return None;
    }
    let points = points(figures, bounds(figures, None), (3.0, 4.0), (93.0, 24.0));
    let (lines, dots) = drawn(&points);
    let last = points.last().copied().flatten().map(|(across, down)| (number(across), number(down)));
    Spark { label: label(lang, figures), lines, dots, last }.render().ok()
}

/// A line with axes.
pub(super) fn chart(lang: Language, figures: &[&Figure]) -> Option<String> {
    let newest = figures.last()?;
    let bounds = bounds(figures, newest.target);
    let (left_top, right_bottom) = ((64.0, 14.0), (604.0, 188.0));
    let points = points(figures, bounds, left_top, right_bottom);
    let (lines, mut dots) = drawn(&points);
    dots.extend(points.iter().flatten().map(|(across, down)| (number(*across), number(*down))));
    let height = |value: f64| {
        let share = (value - bounds.0) / (bounds.1 - bounds.0);
        number(right_bottom.1 - (right_bottom.1 - left_top.1) * share)
    };
    let kind = newest.kind;
    let steps = [0.0, 0.5, 1.0].map(|share| bounds.0 + (bounds.1 - bounds.0) * share);
    let whole = |value: f64| if kind == IndicatorKind::Ratio { value } else { value.round() };
    let grid = steps.map(whole).map(|value| (height(value), lang.amount(kind, value)));
    let place = |index| number(across(index, figures.len(), left_top.0, right_bottom.0));
    let periods = figures.iter().enumerate().map(|(index, figure)| (place(index), period_short(figure.period)));
    let periods = periods.collect();
    // Beside the line, not on it: below its end where it falls.
    let before = points.iter().rev().nth(1).copied().flatten();
    let last = points.last().copied().flatten().map(|(across, down)| {
        let falls = before.is_some_and(|(_, before)| before < down) && down < right_bottom.1 - 20.0;
        let beside = if falls { down + 19.0 } else { (down - 9.0).max(12.0) };
        (number(across + 24.0), number(beside), lang.value(newest, UnitSpace::NonBreaking))
    });
    let target =
        newest.target.map(|target| (height(target), format!("{} {}", lang.words().target, lang.amount(kind, target))));
    Chart { label: label(lang, figures), lines, dots, grid: grid.into(), periods, target, last }.render().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_month(month: i8, numerator: u64, denominator: u64) -> Figure {
        Figure {
            indicator: "x".into(),
            kind: IndicatorKind::Ratio,
            definition: "".into(),
            rules: "".into(),
            agency: None,
            agency_name: None,
            tier: None,
            period: Period::Month { year: 2026, month },
            numerator,
            denominator: Some(denominator),
            reachable: numerator,
            one_sided: None,
            target: None,
        }
    }

    #[test]
    fn a_month_without_dossiers_breaks_the_line() {
        let figures = [of_month(1, 1, 2), of_month(2, 2, 2), of_month(3, 0, 0), of_month(4, 1, 1)];
        let kept = until(&figures, Period::Month { year: 2026, month: 4 });
        let drawing = spark(Language::Vietnamese, &kept).expect("four months");
        assert_eq!(drawing.matches("<polyline").count(), 1);
        assert!(
            drawing.contains("Tháng 1/2026 50,00\u{a0}%; Tháng 2/2026 100,00\u{a0}%; Tháng 3/2026 không phát sinh")
        );
        assert!(!drawing.contains("style="));
    }

    #[test]
    fn a_trend_ends_with_the_period_that_is_shown() {
        let figures: Vec<Figure> = (1..=12).map(|month| of_month(month, 1, 2)).collect();
        let kept = until(&figures, Period::Month { year: 2026, month: 5 });
        assert_eq!(kept.len(), 5);
        assert!(spark(Language::Vietnamese, &kept[..1]).is_none());
        assert!(chart(Language::English, &kept).expect("five months").contains(">5/26<"));
    }
}
