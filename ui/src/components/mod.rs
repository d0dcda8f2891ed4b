//! Parts that several pages share: icons, states, notes, heads, times. They draw what the look says
//! and know nothing of where their words come from.

pub mod device_row;
pub mod dialog;
pub mod finder;
pub mod icon;
pub mod is_it_mine;
pub mod note;
pub mod notices;
pub mod page_head;
pub mod patient_pick;
pub mod secret;
pub mod segments;
pub mod state_mark;
pub mod step_up;
pub mod steps;
pub mod time;
pub mod way;
pub mod who;

pub use device_row::{DeviceMark, DeviceRow, VitalTile, WardRow};
pub use dialog::{Ask, modal};
pub use icon::Icon;
pub use is_it_mine::IsItMine;
pub use note::{FailureNote, Loading, Note, Waiting};
pub use page_head::PageHead;
pub use patient_pick::PatientPick;
pub use segments::Segments;
pub use state_mark::StateMark;
pub use steps::Step;
pub use time::{Hash, local_clock, local_clock_minutes, local_date, local_day, offset_minutes};
pub use way::Way;
