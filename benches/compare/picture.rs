//! The figures as bars, in SVG.

use std::fmt::Write;

use crate::contestant::Who;
use crate::figures::{Figures, What};

const WIDTH: usize = 860;
const LABELS: usize = 230;
const BARS: usize = 520;
const BAR: usize = 16;
const STEP: usize = 22;
const HEAD: usize = 44;

struct Panel {
    title: &'static str,
    what: What,
    durable: bool,
}

const PANELS: [Panel; 5] = [
    Panel {
        title: "Durable enqueue of 1,124 bytes, one producer: µs, less is better",
        what: What::Enqueue,
        durable: true,
    },
    Panel {
        title: "Four producers and four consumers, durable: messages per second, more is better",
        what: What::FourAndFour,
        durable: true,
    },
    Panel {
        title: "Enqueue without syncs: µs, less is better",
        what: What::Enqueue,
        durable: false,
    },
    Panel {
        title: "Dequeue and remove without syncs: µs, less is better",
        what: What::Dequeue,
        durable: false,
    },
    Panel {
        title: "From enqueue to a waiting consumer in another process, no syncs: µs, less is better",
        what: What::Latency,
        durable: false,
    },
];

pub fn draw(figures: &Figures) -> Result<String, std::fmt::Error> {
    let mut body = String::new();
    let mut top = 16;
    for panel in &PANELS {
        let bars: Vec<(Who, f64)> = Who::ALL
            .into_iter()
            .filter(|who| who.is_durable() == panel.durable)
            .filter_map(|who| Some((who, figures.median(panel.what, who)?)))
            .collect();
        if bars.is_empty() {
            continue;
        }
        top = panel_of(&mut body, panel.title, &bars, top)?;
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" width=\"{WIDTH}\" height=\"{top}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{top}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    ))
}

/// Returns where the next one begins.
fn panel_of(
    body: &mut String,
    title: &str,
    bars: &[(Who, f64)],
    top: usize,
) -> Result<usize, std::fmt::Error> {
    let most = bars.iter().map(|(_, figure)| *figure).fold(0.0, f64::max);
    writeln!(
        body,
        "<text x=\"16\" y=\"{}\" font-weight=\"600\" fill=\"#1f2328\">{title}</text>",
        top + 14
    )?;
    let mut y = top + HEAD - 16;
    for (who, figure) in bars {
        let width = (figure / most * BARS as f64).max(1.0);
        let text = y + BAR - 4;
        writeln!(
            body,
            "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\" fill=\"#1f2328\">{}</text>\
             <rect x=\"{LABELS}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{text}\" fill=\"#59636e\">{}</text>",
            LABELS - 8,
            who.label(),
            colour(*who),
            LABELS as f64 + width + 6.0,
            thousands(*figure)
        )?;
        y += STEP;
    }
    Ok(y + 16)
}

/// The floor is grey, multispool is blue, the others are pale.
fn colour(who: Who) -> &'static str {
    match who {
        Who::Floor | Who::FloorStrict | Who::FloorOrdered => "#8c959f",
        Who::Rust | Who::RustFull => "#0969da",
        Who::C | Who::Go | Who::Ruby => "#54aeff",
        Who::Beanstalkd | Who::Redis | Who::Litequeue | Who::Dirq => "#d8b48a",
    }
}

pub fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
