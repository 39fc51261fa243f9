-- Rate limits that hold across all running copies of the API: turns are counted here. A copy may take several
-- at once and hand them out by itself, so most requests write nothing.

create unlogged table ec.rate_windows (
  key text primary key,
  window_start timestamptz not null,
  used int not null,
  granted int not null,
  constraint key_is_short check (length(key) between 1 and 400),
  constraint used_is_positive check (used >= 0)
) with (fillfactor = 50);
alter table ec.rate_windows enable row level security;
comment on table ec.rate_windows is 'One row per limited thing; unlogged, a crash forgets at most one window';
comment on column ec.rate_windows.granted is 'Of the newest call; negative when turns were given back';

-- Windows are aligned to the epoch, so that all copies agree when one ends.
create function ec.take_turns(
  key text, max int, window_s int, wanted int default 1, at timestamptz default null
) returns table (granted int, retry_after int)
language plpgsql security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  moment timestamptz := coalesce(take_turns.at, clock_timestamp());
  current_start timestamptz := to_timestamp(floor(extract(epoch from moment) / window_s) * window_s);
  first_grant int := greatest(0, least(wanted, take_turns.max));
begin
  return query
  insert into ec.rate_windows as w (key, window_start, used, granted)
  values (take_turns.key, current_start, first_grant, first_grant)
  on conflict (key) do update set
    window_start = greatest(w.window_start, current_start),
    used = case when w.window_start < current_start then first_grant
      else greatest(0, w.used + least(wanted, greatest(take_turns.max - w.used, 0))) end,
    granted = case when w.window_start < current_start then first_grant
      else greatest(-w.used, least(wanted, greatest(take_turns.max - w.used, 0))) end
  returning w.granted,
    greatest(1, ceil(extract(epoch from w.window_start + make_interval(secs => window_s) - moment)))::int;
end
$$;
comment on function ec.take_turns(text, int, int, int, timestamptz) is
  'Takes up to wanted of max turns in this window; wanted 0 only looks, negative gives back → how many, seconds until the window ends';

grant execute on function ec.take_turns(text, int, int, int, timestamptz) to ec_api;
