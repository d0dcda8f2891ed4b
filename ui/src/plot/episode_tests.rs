//! Painting of what is measured now and then, tested natively in `egui_kittest`.

use egui::pos2;

use super::scale::YRange;
use super::spec::{Colour, Mark, Trace};
use super::tests::{example, handle, harness};

/// Goal: between two measurements nothing slants, and each of them is a dot at its value. Method: the segments
/// and circles of a painted panel.
#[test]
fn steps_do_not_slant() {
    let mut spec = example();
    let values = [(10_000, 80.0), (30_000, 90.0), (50_000, 85.0)];
    let panel = &mut spec.panels[1];
    panel.y = YRange::Fixed(50.0, 100.0);
    panel.traces[0].mark = Mark::Steps;
    panel.traces[0].series = handle(&values, 1_000);
    let harness = harness(spec, None);
    let (mut dots, mut steps) = (Vec::new(), 0);
    for clipped in &harness.output().shapes {
        match &clipped.shape {
            egui::Shape::Circle(circle) if circle.center.y > 150.0 => dots.push(circle.center),
            egui::Shape::LineSegment {
                points: [from, to], ..
            } if from.y > 150.0 => {
                steps += usize::from(from.x > 100.0 && to.x > 100.0);
                // The hatch of the panel above is the only thing that slants.
                assert!(from.x == to.x || from.y == to.y, "{from:?} {to:?}");
            }
            _ => {}
        }
    }
    let at =
        |time: f32, value: f32| pos2(40.0 + time / 60_000.0 * 600.0, 260.0 - (value - 50.0) * 2.0);
    assert_eq!(
        dots,
        values.map(|(time, value)| at(time as f32, value as f32))
    );
    assert!(steps >= 4, "{steps}");
}

/// Goal: a pressure is one bar from its lower to its upper end, with the value between marked across it.
/// Method: the rectangles of a painted panel.
#[test]
fn a_pressure_is_a_bar() {
    let mut spec = example();
    let panel = &mut spec.panels[1];
    panel.y = YRange::Fixed(50.0, 150.0);
    panel.gaps = false;
    let marks = [
        (Mark::Upper, 120.0),
        (Mark::Lower, 80.0),
        (Mark::Middle, 93.0),
    ];
    panel.traces = marks
        .map(|(mark, value)| Trace {
            name: String::new(),
            colour: Colour::BLOOD_PRESSURE,
            mark,
            series: handle(&[(30_000, value)], 1_000),
        })
        .to_vec();
    let harness = harness(spec, None);
    let bars: Vec<_> = harness
        .output()
        .shapes
        .iter()
        .filter_map(|clipped| match &clipped.shape {
            egui::Shape::Rect(bar) if bar.rect.top() > 150.0 => Some(bar.rect),
            _ => None,
        })
        .collect();
    let [bar] = bars.as_slice() else {
        panic!("one bar, not {bars:?}")
    };
    assert_eq!(
        (bar.center().x, bar.top(), bar.bottom()),
        (340.0, 190.0, 230.0)
    );
}
