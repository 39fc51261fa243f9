-- What is healthy is data of the product type: a new product needs no code, and the screen shows the same numbers
-- the verdicts were reached by.
--
-- battery  curve [[V, %], …] rising; below alert_v the platform always alerts
-- signal   radio wifi|gsm; bars: the dBm from which there are 1, 2, 3, 4 of them; below warn_dbm weak, bad_dbm bad
-- heap     bytes; a leak falls by leak_bytes_per_h or more, steadily, for an hour
-- clock    ms the device's clock may be off; loss: % of packets that may be missing
-- restarts crashes a day; gps: satellites from which a position is good and very good, and seconds to the first fix

alter table public.product_types add column health jsonb not null default '{
  "battery": {
    "empty_v": 3.3, "full_v": 4.2, "alert_v": 3.5, "warn_pct": 30, "warn_days": 7,
    "curve": [[3.3, 0], [3.58, 10], [3.67, 20], [3.72, 30], [3.76, 40], [3.8, 50], [3.86, 60], [3.93, 70], [4.01, 80], [4.1, 90], [4.2, 100]]
  },
  "signal": {"radio": "wifi", "bars": [-88, -78, -68, -58], "warn_dbm": -78, "bad_dbm": -88},
  "heap": {"warn_bytes": 40000, "bad_bytes": 20000, "leak_bytes_per_h": 200},
  "clock": {"warn_ms": 2000, "bad_ms": 60000},
  "loss": {"warn_pct": 1, "bad_pct": 5},
  "restarts": {"warn_crashes": 1, "bad_crashes": 3},
  "gps": {"good_sats": 5, "very_good_sats": 8, "slow_ttff_s": 60}
}';
alter table public.product_types add constraint health_is_an_object check (jsonb_typeof(health) = 'object');
comment on column public.product_types.health is 'Thresholds of the diagnostics: battery, signal, heap, clock, loss, restarts, gps';

-- GSM is heard from much farther away: CSQ 2 to 31 is −109 to −51 dBm.
update public.product_types set health = health || '{
  "signal": {"radio": "gsm", "bars": [-107, -97, -87, -77], "warn_dbm": -97, "bad_dbm": -107}
}' where key = 'tracker';
