//! Trend of a figure as SVG: a small line (sparkline) for tables, and a chart with axes. Lines take the colour of the
//! text.

use askama::Template;

use crate::locale::{Initial, Language, UnitSpace, period_short};
use crate::model::figure::Figure;
use crate::model::indicator::{IndicatorKind, MOST_POINTS};
use crate::model::period::Period;

/// Maximum number of periods of a trend.
const PERIODS: usize = 12;

/// A point of a drawing: x and y.
type Point = (f64, f64);

#[derive(Template)]
#[template(path = "spark.html")]
struct Spark {
    label: String,
    /// Coordinates of each polyline. A period without a value breaks the line.
    lines: Vec<String>,
    /// Points that have no neighbour with a value.
    dots: Vec<(String, String)>,
    last: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "chart.html")]
struct Chart {
    label: String,
    lines: Vec<String>,
    dots: Vec<(String, String)>,
    /// y and label of each grid line.
    grid: Vec<(String, String)>,
    /// x and label of each period.
    periods: Vec<(String, String)>,
    /// y and label of the target.
    target: Option<(String, String)>,
    /// x, y and label of the newest value.
    last: Option<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "bar.html")]
struct Bar {
    /// Of 100.
    width: String,
    /// x of the target.
    target: Option<String>,
}

/// A bar of a value, with a line at the target: of 100 % for a ratio, else of the largest value. It is decoration: the value
/// stands beside it. `None` without a value.
pub(in crate::service::pages) fn bar(figure: &Figure, largest: f64) -> Option<String> {
    let value = figure.value()?;
    let whole = match figure.kind {
        IndicatorKind::Ratio => 1.0,
        IndicatorKind::Points => MOST_POINTS,
        _ => largest.max(figure.target.unwrap_or(0.0)),
    };
    let share = |amount: f64| number((amount / whole * 100.0).clamp(0.0, 100.0));
    (whole > 0.0).then(|| Bar { width: share(value), target: figure.target.map(share) }.render().ok()).flatten()
}

/// Of the figures of one indicator and scope: the last ones of the kind of `period`, up to `period`, oldest first.
pub(in crate::service::pages) fn until<'f>(
    figures: impl IntoIterator<Item = &'f Figure>,
    period: Period,
) -> Vec<&'f Figure> {
    let same = |figure: &&Figure| figure.period.kind() == period.kind() && figure.period.start() <= period.start();
    let mut kept: Vec<&Figure> = figures.into_iter().filter(same).collect();
    kept.sort_by_key(|figure| figure.period.start());
    kept.split_off(kept.len().saturating_sub(PERIODS))
}

/// Text alternative of a drawing: every period with its value.
fn label(lang: Language, figures: &[&Figure]) -> String {
    let (initial, space) = (Initial::Upper, UnitSpace::NonBreaking);
    let values =
        figures.iter().map(|figure| format!("{} {}", lang.period(figure.period, initial), lang.value(figure, space)));
    format!("{}: {}", lang.words().trend, values.collect::<Vec<_>>().join("; "))
}

/// Lowest and highest value of the y axis, with some room above and below; shares stay within 0 and 1, points have a scale
/// of their own.
fn bounds(figures: &[&Figure], target: Option<f64>) -> (f64, f64) {
    let values = figures.iter().filter_map(|figure| figure.value()).chain(target);
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return (0.0, 1.0);
    }
    let kind = figures.first().map(|figure| figure.kind);
    if kind == Some(IndicatorKind::Points) {
        return (0.0, MOST_POINTS);
    }
    if kind == Some(IndicatorKind::Ratio) {
        let (low, high) = ((low * 10.0 - 0.2).floor() / 10.0, (high * 10.0 + 0.2).ceil() / 10.0);
        let (low, high) = (low.max(0.0), high.min(1.0));
        if high - low < 0.05 { ((high - 0.1).max(0.0), high.max(0.1)) } else { (low, high) }
    } else {
        (0.0, (high * 1.1).max(1.0))
    }
}

/// x of one of several periods, evenly spaced; a single period is in the middle.
fn x_of(index: usize, count: usize, left: f64, right: f64) -> f64 {
    if count == 1 {
        return f64::midpoint(left, right);
    }
    #[expect(clippy::cast_precision_loss, reason = "there are at most twelve")]
    let share = index as f64 / (count - 1) as f64;
    left + (right - left) * share
}

/// The point of each figure; `None` for a figure without a value.
fn points(figures: &[&Figure], (low, high): (f64, f64), left_top: Point, right_bottom: Point) -> Vec<Option<Point>> {
    let x = |index| x_of(index, figures.len(), left_top.0, right_bottom.0);
    let y = |value: f64| right_bottom.1 - (right_bottom.1 - left_top.1) * (value - low) / (high - low);
    figures.iter().enumerate().map(|(index, figure)| Some((x(index), y(figure.value()?)))).collect()
}

fn number(coordinate: f64) -> String {
    format!("{coordinate:.1}")
}

/// Splits points at gaps into polylines and single dots.
fn lines_and_dots(points: &[Option<Point>]) -> (Vec<String>, Vec<(String, String)>) {
    let (mut lines, mut dots) = (Vec::new(), Vec::new());
    for stretch in points.split(Option::is_none) {
        let stretch: Vec<Point> = stretch.iter().flatten().copied().collect();
        match stretch[..] {
            [] => {}
            [(x, y)] => dots.push((number(x), number(y))),
            _ => {
                let pairs = stretch.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y)));
                lines.push(pairs.collect::<Vec<_>>().join(" "));
            }
        }
    }
    (lines, dots)
}

/// A sparkline; `None` for fewer than two periods.
pub(in crate::service::pages) fn spark(lang: Language, figures: &[&Figure]) -> Option<String> {
    if figures.len() < 2 {
        return None;
    }
    let points = points(figures, bounds(figures, None), (3.0, 4.0), (93.0, 24.0));
    let (lines, dots) = lines_and_dots(&points);
    let last = points.last().copied().flatten().map(|(x, y)| (number(x), number(y)));
    Spark { label: label(lang, figures), lines, dots, last }.render().ok()
}

/// A chart with axes; `None` without figures.
pub(in crate::service::pages) fn chart(lang: Language, figures: &[&Figure]) -> Option<String> {
    let newest = figures.last()?;
    let bounds = bounds(figures, newest.target);
    let (left_top, right_bottom) = ((64.0, 14.0), (604.0, 188.0));
    let points = points(figures, bounds, left_top, right_bottom);
    let (lines, mut dots) = lines_and_dots(&points);
    dots.extend(points.iter().flatten().map(|(x, y)| (number(*x), number(*y))));
    let y = |value: f64| {
        let share = (value - bounds.0) / (bounds.1 - bounds.0);
        number(right_bottom.1 - (right_bottom.1 - left_top.1) * share)
    };
    let kind = newest.kind;
    let steps = [0.0, 0.5, 1.0].map(|share| bounds.0 + (bounds.1 - bounds.0) * share);
    let whole = |value: f64| if kind == IndicatorKind::Ratio { value } else { value.round() };
    let grid = steps.map(whole).map(|value| (y(value), lang.amount(kind, value)));
    let x = |index| number(x_of(index, figures.len(), left_top.0, right_bottom.0));
    let periods = figures.iter().enumerate().map(|(index, figure)| (x(index), period_short(figure.period)));
    let periods = periods.collect();
    // The label must not cover the line: it goes below the end of a falling line, else above.
    let before = points.iter().rev().nth(1).copied().flatten();
    let last = points.last().copied().flatten().map(|(x, y)| {
        let falls = before.is_some_and(|(_, before)| before < y) && y < right_bottom.1 - 20.0;
        let label_y = if falls { y + 19.0 } else { (y - 9.0).max(12.0) };
        (number(x + 24.0), number(label_y), lang.value(newest, UnitSpace::NonBreaking))
    });
    let target =
        newest.target.map(|target| (y(target), format!("{} {}", lang.words().target, lang.amount(kind, target))));
    Chart { label: label(lang, figures), lines, dots, grid: grid.into(), periods, target, last }.render().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::indicator::TargetPeriods;

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
            unknown: Some(0),
            undecided: Some(0),
            target: None,
            target_periods: TargetPeriods::All,
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
    fn a_bar_has_the_share_and_the_target() {
        let half = Figure { target: Some(0.95), ..of_month(1, 1, 2) };
        let drawing = bar(&half, 0.5).expect("it has a value");
        assert!(drawing.contains("width=\"50.0\"") && drawing.contains("x1=\"95.0\""), "{drawing}");
        let count = Figure { kind: IndicatorKind::Count, denominator: None, ..of_month(1, 30, 1) };
        assert!(bar(&count, 120.0).expect("it has a value").contains("width=\"25.0\""));
        assert!(bar(&of_month(1, 0, 0), 1.0).is_none());
    }

    #[test]
    fn points_are_drawn_on_their_own_scale() {
        let of_points = |month, points| Figure { kind: IndicatorKind::Points, ..of_month(month, points, 10) };
        let figures = [of_points(1, 8), of_points(2, 12)];
        let kept = until(&figures, Period::Month { year: 2026, month: 2 });
        assert_eq!(bounds(&kept, None), (0.0, 2.0));
        let drawing = chart(Language::Vietnamese, &kept).expect("two months");
        for label in [">0<", ">1<", ">2<", "1,20"] {
            assert!(drawing.contains(label), "`{label}` in {drawing}");
        }
    }

    #[test]
    fn a_trend_ends_with_the_selected_period() {
        let figures: Vec<Figure> = (1..=12).map(|month| of_month(month, 1, 2)).collect();
        let kept = until(&figures, Period::Month { year: 2026, month: 5 });
        assert_eq!(kept.len(), 5);
        assert!(spark(Language::Vietnamese, &kept[..1]).is_none());
        assert!(chart(Language::English, &kept).expect("five months").contains(">5/26<"));
    }
}
