//! A level-0 sensor at a port of one of the nodes, by a name that stays the same.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::numbered::{Class, Numbered};
use super::spoil::{Done, Spoil, Turn};
use crate::pty::Line;

/// A sensor on a wire.
pub(super) struct Wired {
    pub(super) numbered: Numbered,
    /// The port's name.
    pub(super) path: PathBuf,
    line: Option<Line>,
    /// Seconds that it stays pulled out.
    away: u32,
}

impl Wired {
    pub(super) fn new(folder: &Path, number: u32, class: Class) -> Self {
        let mut wired = Self {
            numbered: Numbered::new(number, class),
            path: folder.join(format!("port-{number}")),
            line: None,
            away: 0,
        };
        wired.plug_in();
        wired
    }

    fn plug_in(&mut self) {
        let line = Line::new();
        // As a system names a port anew: at no moment does the name stand for half a port.
        let new = self.path.with_extension("new");
        symlink(&line.path, &new).unwrap();
        std::fs::rename(&new, &self.path).unwrap();
        self.line = Some(line);
        self.numbered.linked_anew();
    }

    /// Lives for a second.
    pub(super) fn live(&mut self, spoil: &mut Spoil, done: &mut Done) {
        if self.line.is_none() {
            self.away = self.away.saturating_sub(1);
            if self.away == 0 || !spoil.is_on {
                self.plug_in();
            }
        } else if matches!(spoil.turn(), Some(Turn::Wander | Turn::Fall)) {
            // Its name goes first: the system gives the port's number to the next terminal.
            std::fs::remove_file(&self.path).unwrap();
            self.line = None;
            self.numbered.line_ended();
            self.away = spoil.seconds();
            done.pulled += 1;
        }
        let heard = self.line.as_mut().map(Line::heard).unwrap_or_default();
        let answer = self.numbered.hear(&heard);
        let frames = self.numbered.measure(self.line.is_some());
        if let Some(line) = &mut self.line {
            answer.iter().for_each(|answer| line.send(answer));
            for frame in frames {
                line.send(&spoil.frame(frame, done));
            }
        }
    }
}
