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
}
