//! Charts as inline SVG, drawn with integers: small, printable, and readable without seeing them.
//! Our own, because a chart library would bring its fonts, its styles and its randomness.

use leptos::prelude::*;

/// One bar: what it stands for, its size, and how its size is written.
#[derive(Clone, Debug)]
pub struct Bar {
    pub label: String,
    pub value: u64,
    pub text: String,
}

const HEIGHT: u64 = 120;
const STEP: u64 = 24;
const WIDTH: u64 = 16;

/// Bars side by side. Show the same numbers in a table nearby; each bar also names itself.
#[component]
pub fn BarChart(#[prop(into)] title: String, bars: Vec<Bar>) -> impl IntoView {
    let most = most(bars.iter().map(|bar| bar.value));
    let columns = u64::try_from(bars.len()).unwrap_or(0).max(1);
    let view_box = format!("0 0 {} {}", columns * STEP, HEIGHT + 2);
    let shapes = bars.into_iter().zip(0_u64..).map(|(bar, index)| {
        let height = scaled(bar.value, most, HEIGHT);
        let (x, y) = (index * STEP + (STEP - WIDTH) / 2, HEIGHT - height);
        let class = if bar.value == 0 { "bar none" } else { "bar" };
        view! {
            <g class=class>
                <title>{format!("{}: {}", bar.label, bar.text)}</title>
                <rect class="bar-area" x=index * STEP y="0" width=STEP height=HEIGHT></rect>
                <rect class="bar-value" x=x y=y width=WIDTH height=height rx="2"></rect>
            </g>
        }
    });
    view! {
        <svg class="bar-chart" viewBox=view_box role="img" aria-label=title preserveAspectRatio="none">
            {shapes.collect_view()}
            <line class="axis" x1="0" x2=columns * STEP y1=HEIGHT y2=HEIGHT></line>
        </svg>
    }
}

/// A part of every bar: its name, and its size in each bar.
#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    pub values: Vec<u64>,
}

/// Patterns there are; each tells its series from the others without any colour.
pub const MOST_SERIES: usize = 6;

/// In units of the drawing, which is stretched to the width of its place.
const BOX_WIDTH: u64 = 7_200;
const BOX_HEIGHT: u64 = 2_000;
const TILE: u64 = 120;
/// What is drawn over the colour of each series; the first has nothing.
const MARKS: [&str; MOST_SERIES] = [
    "",
    "M-30 90L90 -30M30 150L150 30",
    "M30 30h30v30h-30zM90 90h30v30h-30z",
    "M0 30H120M0 90H120",
    "M0 0L120 120M120 0L0 120",
    "M30 0V120M90 0V120",
];

/// Bars of several parts. `labels` name the bars, `write` writes a size, `id` is unique on the page. Each bar names
/// itself and its parts; show the same numbers in a table nearby.
#[component]
#[expect(clippy::needless_pass_by_value, reason = "a component owns its properties")]
pub fn StackedChart<W>(
    id: &'static str,
    #[prop(into)] title: String,
    #[prop(into)] description: String,
    labels: Vec<String>,
    series: Vec<Series>,
    write: W,
) -> impl IntoView
where
    W: Fn(u64) -> String + Copy + 'static,
{
    let sums: Vec<u64> = (0..labels.len()).map(|at| series.iter().map(|one| value(one, at)).sum()).collect();
    let top = round_up(most(sums.iter().copied()));
    let columns = u64::try_from(labels.len()).unwrap_or(1).max(1);
    let step = BOX_WIDTH / columns;
    let bars: Vec<AnyView> = labels
        .iter()
        .zip(0_u64..)
        .map(|(label, at)| stack(id, label, (&series, at), (step, top, write)))
        .collect();
    let patterns: Vec<AnyView> = (0..series.len().min(MOST_SERIES)).map(|at| pattern(id, at)).collect();
    let scale = [top, top / 2, 0].into_iter().map(|size| view! { <span>{write(size)}</span> }).collect_view();
    let lines = [0, BOX_HEIGHT / 2, BOX_HEIGHT]
        .into_iter()
        .map(|y| view! { <line class="grid-line" x1="0" x2=BOX_WIDTH y1=y y2=y></line> })
        .collect_view();
    let (title_id, description_id) = (format!("{id}-title"), format!("{id}-description"));
    let (labelled_by, described_by) = (title_id.clone(), description_id.clone());
    view! {
        <div class="stacked-chart">
            <div class="chart-scale" aria-hidden="true">{scale}</div>
            <svg
                viewBox=format!("0 0 {BOX_WIDTH} {BOX_HEIGHT}") preserveAspectRatio="none" role="img"
                aria-labelledby=labelled_by aria-describedby=described_by
            >
                <title id=title_id>{title}</title>
                <desc id=description_id>{description}</desc>
                <defs>{patterns}</defs>
                {lines}
                {bars}
            </svg>
        </div>
    }
}

/// The colour and pattern of a series of the chart `id`, beside its name in a legend.
#[component]
pub fn Swatch(id: &'static str, at: usize) -> impl IntoView {
    let fill = format!("url(#{id}-{at})");
    view! {
        <svg class="swatch" viewBox="0 0 480 480" width="14" height="14" aria-hidden="true">
            <rect width="480" height="480" rx="90" fill=fill></rect>
        </svg>
    }
}

fn stack(
    id: &'static str,
    label: &str,
    (series, at): (&[Series], u64),
    (step, top, write): (u64, u64, impl Fn(u64) -> String),
) -> AnyView {
    let index = usize::try_from(at).unwrap_or(0);
    let parts = series.iter().enumerate().filter(|(_, one)| value(one, index) > 0);
    let said: Vec<String> =
        parts.clone().map(|(_, one)| format!("{} {}", one.name, write(value(one, index)))).collect();
    let sum: u64 = series.iter().map(|one| value(one, index)).sum();
    let title = format!("{label}: {}\n{}", write(sum), said.join("\n"));
    let (x, width) = (at * step + step / 6, (step * 2 / 3).max(1));
    let mut bottom = BOX_HEIGHT;
    let parts: Vec<AnyView> = parts
        .map(|(which, one)| {
            let height = scaled(value(one, index), top, BOX_HEIGHT).min(bottom);
            bottom -= height;
            let fill = format!("url(#{id}-{})", which.min(MOST_SERIES - 1));
            view! { <rect class="part" x=x y=bottom width=width height=height fill=fill></rect> }.into_any()
        })
        .collect();
    view! {
        <g class="stack-bar">
            <title>{title.trim_end().to_owned()}</title>
            <rect class="bar-area" x=at * step y="0" width=step height=BOX_HEIGHT></rect>
            {parts}
        </g>
    }
    .into_any()
}

fn pattern(id: &'static str, at: usize) -> AnyView {
    let class = format!("series-{}", at + 1);
    let mark = MARKS.get(at).copied().unwrap_or_default();
    view! {
        <pattern id=format!("{id}-{at}") patternUnits="userSpaceOnUse" width=TILE height=TILE>
            <rect class=class width=TILE height=TILE></rect>
            <path class="series-mark" d=mark></path>
        </pattern>
    }
    .into_any()
}

fn value(series: &Series, at: usize) -> u64 {
    series.values.get(at).copied().unwrap_or(0)
}

/// The next number of one digit that is 1, 2 or 4, with zeros, but not 1 itself: a scale that reads well, and whose middle is
/// a whole number.
fn round_up(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for digit in [2, 4, 10] {
            match unit.checked_mul(digit) {
                Some(top) if top >= most => return top,
                Some(_) => {}
                None => return most,
            }
        }
        let Some(next) = unit.checked_mul(10) else { return most };
        unit = next;
    }
}

/// A line without axes, beside a number that says where it ended.
#[component]
pub fn Sparkline(#[prop(into)] title: String, values: Vec<u64>) -> impl IntoView {
    let most = most(values.iter().copied());
    let width = u64::try_from(values.len().saturating_sub(1)).unwrap_or(0).max(1) * 8;
    let points: Vec<String> = values
        .into_iter()
        .zip(0_u64..)
        .map(|(value, index)| format!("{},{}", index * 8, 30 - scaled(value, most, 28)))
        .collect();
    view! {
        <svg class="sparkline" viewBox=format!("0 0 {width} 32") role="img" aria-label=title preserveAspectRatio="none">
            <polyline points=points.join(" ") fill="none"></polyline>
        </svg>
    }
}

fn most(values: impl Iterator<Item = u64>) -> u64 {
    values.max().unwrap_or(0).max(1)
}

/// `value` as its share of `most`, in `full` units, rounded up so that something is never nothing.
fn scaled(value: u64, most: u64, full: u64) -> u64 {
    let share = (u128::from(value) * u128::from(full)).div_ceil(u128::from(most));
    u64::try_from(share).unwrap_or(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fill_their_height_and_never_vanish() {
        assert_eq!(scaled(10, 10, HEIGHT), HEIGHT);
        assert_eq!(scaled(1, u64::MAX, HEIGHT), 1);
        assert_eq!(scaled(0, 10, HEIGHT), 0);
        assert_eq!(most([].into_iter()), 1);
    }

    #[test]
    fn a_scale_ends_at_a_number_that_reads_well() {
        let tops = [1, 2, 3, 7, 11, 51, 1_000, 1_001].map(round_up);
        assert_eq!(tops, [2, 2, 4, 10, 20, 100, 1_000, 2_000]);
        assert_eq!(round_up(u64::MAX), u64::MAX);
    }
}
