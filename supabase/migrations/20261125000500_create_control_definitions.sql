-- What people may set on a device is data, as its metrics are: a new product gets its switches and sliders without code.
-- Keys nobody described can be set all the same; who may set which is decided elsewhere.

create table public.control_definitions (
  product_type text not null references public.product_types (key) on delete cascade,
  key text not null,
  label text not null,
  hint text not null default '',
  kind text not null,
  unit text not null default '',
  min_value float8,
  max_value float8,
  step float8,
  decimals int not null default 0,
  options jsonb not null default '[]',
  on_label text,
  off_label text,
  confirm bool not null default false,
  sort int not null default 100,
  primary key (product_type, key),
  constraint key_is_valid check (key ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'),
  constraint kind_is_known check (kind in ('boolean', 'number', 'enum', 'text')),
  constraint decimals_are_sane check (decimals between 0 and 9),
  constraint range_is_ordered check (min_value < max_value),
  constraint step_is_positive check (step > 0),
  constraint numbers_alone_have_ranges check (kind = 'number' or num_nulls(min_value, max_value, step) = 3),
  constraint choices_have_options check (
    jsonb_typeof(options) = 'array' and (kind = 'enum') = (jsonb_array_length(options) > 0)
    -- Each {"value": text or number, "label": text}, so that no screen has to doubt it.
    and not jsonb_path_exists(options, '$[*] ? (!(@.label.type() == "string") || !(@.value.type() == "string" || @.value.type() == "number"))')
  )
);
comment on table public.control_definitions is 'How a key of the desired document is shown and set';
comment on column public.control_definitions.hint is 'One plain sentence: what it does';
comment on column public.control_definitions.options is 'Choices of an enum in order: [{"value": text or number, "label": text}]';
comment on column public.control_definitions.confirm is 'A screen asks once more before it sends a change';

alter table public.control_definitions enable row level security;
create policy control_definitions_select on public.control_definitions for select to authenticated
  using (product_type = any (array(select private.my_product_types())));
grant select on public.control_definitions to authenticated, service_role;

insert into public.control_definitions
  (product_type, key, label, hint, kind, unit, min_value, max_value, step, decimals, options, sort)
values
  ('EC-CLIMATE-V1', 'setpoint', 'Target temperature', 'The heating heads for it.',
    'number', '°C', 5, 35, 0.5, 1, '[]', 10),
  ('EC-CLIMATE-V1', 'mode', 'Heating', 'Eco stays three degrees lower; off only keeps the frost out.',
    'enum', '', null, null, null, 0,
    '[{"value": "auto", "label": "Auto"}, {"value": "eco", "label": "Eco"}, {"value": "off", "label": "Off"}]', 20),
  ('EC-CLIMATE-V1', 'relay', 'Relay', 'Switches the ventilation.',
    'boolean', '', null, null, null, 0, '[]', 30);
