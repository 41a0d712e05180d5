#![no_main]

paceline_fuzz::target!("prepared stack");
