// Made by dev/scripts/generate/database-types.ts from the migrations. Do not edit.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  public: {
    Tables: {
      api_keys: {
        Row: {
          created_at: string;
          created_by: string | null;
          expires_at: string | null;
          id: string;
          key_sha256: string;
          last_used_at: string | null;
          name: string;
          org_id: string;
          prefix: string;
          revoked_at: string | null;
          scopes: string[];
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          created_by?: string | null;
          expires_at?: string | null;
          id?: string;
          key_sha256: string;
          last_used_at?: string | null;
          name: string;
          org_id: string;
          prefix: string;
          revoked_at?: string | null;
          scopes: string[];
        };
        Update: {
          created_at?: string;
          created_by?: string | null;
          expires_at?: string | null;
          id?: string;
          key_sha256?: string;
          last_used_at?: string | null;
          name?: string;
          org_id?: string;
          prefix?: string;
          revoked_at?: string | null;
          scopes?: string[];
        };
        Relationships: [
          {
            foreignKeyName: 'api_keys_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'api_keys_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      audit_log: {
        Row: {
          action: string;
          actor_id: string | null;
          actor_kind: string;
          actor_label: string | null;
          address: unknown;
          after: Json | null;
          before: Json | null;
          created_at: string;
          id: number;
          org_id: string | null;
          partner_id: string | null;
          request_id: string | null;
          target_id: string | null;
          target_kind: string | null;
        };
        ComputedFields: never;
        Insert: {
          action: string;
          actor_id?: string | null;
          actor_kind: string;
          actor_label?: string | null;
          address?: unknown;
          after?: Json | null;
          before?: Json | null;
          created_at?: string;
          id?: never;
          org_id?: string | null;
          partner_id?: string | null;
          request_id?: string | null;
          target_id?: string | null;
          target_kind?: string | null;
        };
        Update: {
          action?: string;
          actor_id?: string | null;
          actor_kind?: string;
          actor_label?: string | null;
          address?: unknown;
          after?: Json | null;
          before?: Json | null;
          created_at?: string;
          id?: never;
          org_id?: string | null;
          partner_id?: string | null;
          request_id?: string | null;
          target_id?: string | null;
          target_kind?: string | null;
        };
        Relationships: [];
      };
      claim_codes: {
        Row: {
          code_sha256: string;
          created_at: string;
          device_id: string;
          ended_reason: string | null;
          expires_at: string | null;
          id: string;
          revoked_at: string | null;
          used_at: string | null;
          used_by: string | null;
        };
        ComputedFields: never;
        Insert: {
          code_sha256: string;
          created_at?: string;
          device_id: string;
          ended_reason?: string | null;
          expires_at?: string | null;
          id?: string;
          revoked_at?: string | null;
          used_at?: string | null;
          used_by?: string | null;
        };
        Update: {
          code_sha256?: string;
          created_at?: string;
          device_id?: string;
          ended_reason?: string | null;
          expires_at?: string | null;
          id?: string;
          revoked_at?: string | null;
          used_at?: string | null;
          used_by?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'claim_codes_device_id_fkey';
            columns: ['device_id'];
            isOneToOne: false;
            referencedRelation: 'devices';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'claim_codes_used_by_fkey';
            columns: ['used_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      control_definitions: {
        Row: {
          confirm: boolean;
          decimals: number;
          hint: string;
          key: string;
          kind: string;
          label: string;
          max_value: number | null;
          min_value: number | null;
          off_label: string | null;
          on_label: string | null;
          options: NonNullable<Json>;
          product_type: string;
          sort: number;
          step: number | null;
          unit: string;
        };
        ComputedFields: never;
        Insert: {
          confirm?: boolean;
          decimals?: number;
          hint?: string;
          key: string;
          kind: string;
          label: string;
          max_value?: number | null;
          min_value?: number | null;
          off_label?: string | null;
          on_label?: string | null;
          options?: NonNullable<Json>;
          product_type: string;
          sort?: number;
          step?: number | null;
          unit?: string;
        };
        Update: {
          confirm?: boolean;
          decimals?: number;
          hint?: string;
          key?: string;
          kind?: string;
          label?: string;
          max_value?: number | null;
          min_value?: number | null;
          off_label?: string | null;
          on_label?: string | null;
          options?: NonNullable<Json>;
          product_type?: string;
          sort?: number;
          step?: number | null;
          unit?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'control_definitions_product_type_fkey';
            columns: ['product_type'];
            isOneToOne: false;
            referencedRelation: 'product_types';
            referencedColumns: ['key'];
          },
        ];
      };
      dead_letters: {
        Row: {
          created_at: string;
          detail: string | null;
          device_id: string | null;
          door: string;
          id: number;
          org_id: string | null;
          payload: string | null;
          payload_bytes: number;
          reason: string;
          received_at: string;
          serial: string | null;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          detail?: string | null;
          device_id?: string | null;
          door: string;
          id?: never;
          org_id?: string | null;
          payload?: string | null;
          payload_bytes?: number;
          reason: string;
          received_at?: string;
          serial?: string | null;
        };
        Update: {
          created_at?: string;
          detail?: string | null;
          device_id?: string | null;
          door?: string;
          id?: never;
          org_id?: string | null;
          payload?: string | null;
          payload_bytes?: number;
          reason?: string;
          received_at?: string;
          serial?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'dead_letters_device_id_fkey';
            columns: ['device_id'];
            isOneToOne: false;
            referencedRelation: 'devices';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'dead_letters_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      deviations: {
        Row: {
          device_num: number;
          handled_at: string | null;
          id: number;
          mean: number;
          metric: string;
          org_num: number;
          pct: number;
          tenure_id: number;
          ts: string;
          value: number;
        };
        ComputedFields: never;
        Insert: {
          device_num: number;
          handled_at?: string | null;
          id?: never;
          mean: number;
          metric: string;
          org_num: number;
          pct: number;
          tenure_id: number;
          ts: string;
          value: number;
        };
        Update: {
          device_num?: number;
          handled_at?: string | null;
          id?: never;
          mean?: number;
          metric?: string;
          org_num?: number;
          pct?: number;
          tenure_id?: number;
          ts?: string;
          value?: number;
        };
        Relationships: [];
      };
      device_commands: {
        Row: {
          acknowledged_at: string | null;
          created_at: string;
          created_by_id: string | null;
          created_by_kind: string;
          created_by_label: string | null;
          device_id: string;
          device_num: number;
          expires_at: string;
          id: string;
          org_id: string;
          outbox_id: number | null;
          payload: Json | null;
          reason: string | null;
          result: Json | null;
          sends: number;
          sent_at: string | null;
          sent_door: string | null;
          serial: string;
          state: string;
          tenure_id: number;
          type: string;
        };
        ComputedFields: never;
        Insert: {
          acknowledged_at?: string | null;
          created_at?: string;
          created_by_id?: string | null;
          created_by_kind: string;
          created_by_label?: string | null;
          device_id: string;
          device_num: number;
          expires_at: string;
          id?: string;
          org_id: string;
          outbox_id?: number | null;
          payload?: Json | null;
          reason?: string | null;
          result?: Json | null;
          sends?: number;
          sent_at?: string | null;
          sent_door?: string | null;
          serial: string;
          state?: string;
          tenure_id: number;
          type: string;
        };
        Update: {
          acknowledged_at?: string | null;
          created_at?: string;
          created_by_id?: string | null;
          created_by_kind?: string;
          created_by_label?: string | null;
          device_id?: string;
          device_num?: number;
          expires_at?: string;
          id?: string;
          org_id?: string;
          outbox_id?: number | null;
          payload?: Json | null;
          reason?: string | null;
          result?: Json | null;
          sends?: number;
          sent_at?: string | null;
          sent_door?: string | null;
          serial?: string;
          state?: string;
          tenure_id?: number;
          type?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'device_commands_device_id_fkey';
            columns: ['device_id'];
            isOneToOne: false;
            referencedRelation: 'devices';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'device_commands_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      device_credentials: {
        Row: {
          created_at: string;
          device_id: string;
          expires_at: string | null;
          first_used_at: string | null;
          id: string;
          issued_by_id: string;
          issued_by_kind: string;
          last_used_at: string | null;
          password_hash: string;
          revoked_at: string | null;
          salt: string;
          secret_sha256: string;
          serial: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          device_id: string;
          expires_at?: string | null;
          first_used_at?: string | null;
          id?: string;
          issued_by_id: string;
          issued_by_kind: string;
          last_used_at?: string | null;
          password_hash: string;
          revoked_at?: string | null;
          salt: string;
          secret_sha256: string;
          serial: string;
        };
        Update: {
          created_at?: string;
          device_id?: string;
          expires_at?: string | null;
          first_used_at?: string | null;
          id?: string;
          issued_by_id?: string;
          issued_by_kind?: string;
          last_used_at?: string | null;
          password_hash?: string;
          revoked_at?: string | null;
          salt?: string;
          secret_sha256?: string;
          serial?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'device_credentials_device_id_fkey';
            columns: ['device_id'];
            isOneToOne: false;
            referencedRelation: 'devices';
            referencedColumns: ['id'];
          },
        ];
      };
      device_filters: {
        Row: {
          created_at: string;
          created_by_id: string | null;
          created_by_kind: string;
          created_by_label: string | null;
          filter: NonNullable<Json>;
          id: string;
          name: string;
          org_id: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          created_by_id?: string | null;
          created_by_kind: string;
          created_by_label?: string | null;
          filter: NonNullable<Json>;
          id?: string;
          name: string;
          org_id: string;
        };
        Update: {
          created_at?: string;
          created_by_id?: string | null;
          created_by_kind?: string;
          created_by_label?: string | null;
          filter?: NonNullable<Json>;
          id?: string;
          name?: string;
          org_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'device_filters_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      device_reboots: {
        Row: {
          booted_at: string;
          device_num: number;
          fw_version: string | null;
          org_num: number;
          previous_uptime_s: number | null;
          reason: string | null;
          seen_at: string;
          tenure_id: number;
        };
        ComputedFields: never;
        Insert: {
          booted_at: string;
          device_num: number;
          fw_version?: string | null;
          org_num: number;
          previous_uptime_s?: number | null;
          reason?: string | null;
          seen_at: string;
          tenure_id: number;
        };
        Update: {
          booted_at?: string;
          device_num?: number;
          fw_version?: string | null;
          org_num?: number;
          previous_uptime_s?: number | null;
          reason?: string | null;
          seen_at?: string;
          tenure_id?: number;
        };
        Relationships: [];
      };
      device_state: {
        Row: {
          active: boolean;
          announces: boolean;
          connected: boolean;
          connected_changed_at: string | null;
          device_id: string;
          device_num: number;
          fw_version: string | null;
          last_door: string | null;
          last_seen: string | null;
          last_seq: number | null;
          last_telemetry_at: string | null;
          named_version: string | null;
          named_version_at: string | null;
          offline_alerted_at: string | null;
          older: NonNullable<Json>;
          org_num: number;
          packet_keys: string[];
          pending: boolean;
          product_type: string;
          reported: NonNullable<Json>;
          reported_at: string | null;
          reported_version: number;
          s_bat: number;
          s_co2: number;
          s_hum: number;
          s_temp: number;
          serial: string;
          tenure_id: number;
          tenure_started_at: string;
          w_bat: number[];
          w_co2: number[];
          w_hum: number[];
          w_temp: number[];
        };
        ComputedFields: never;
        Insert: {
          active?: boolean;
          announces?: boolean;
          connected?: boolean;
          connected_changed_at?: string | null;
          device_id: string;
          device_num: number;
          fw_version?: string | null;
          last_door?: string | null;
          last_seen?: string | null;
          last_seq?: number | null;
          last_telemetry_at?: string | null;
          named_version?: string | null;
          named_version_at?: string | null;
          offline_alerted_at?: string | null;
          older?: NonNullable<Json>;
          org_num: number;
          packet_keys?: string[];
          pending?: boolean;
          product_type: string;
          reported?: NonNullable<Json>;
          reported_at?: string | null;
          reported_version?: number;
          s_bat?: number;
          s_co2?: number;
          s_hum?: number;
          s_temp?: number;
          serial: string;
          tenure_id: number;
          tenure_started_at?: string;
          w_bat?: number[];
          w_co2?: number[];
          w_hum?: number[];
          w_temp?: number[];
        };
        Update: {
          active?: boolean;
          announces?: boolean;
          connected?: boolean;
          connected_changed_at?: string | null;
          device_id?: string;
          device_num?: number;
          fw_version?: string | null;
          last_door?: string | null;
          last_seen?: string | null;
          last_seq?: number | null;
          last_telemetry_at?: string | null;
          named_version?: string | null;
          named_version_at?: string | null;
          offline_alerted_at?: string | null;
          older?: NonNullable<Json>;
          org_num?: number;
          packet_keys?: string[];
          pending?: boolean;
          product_type?: string;
          reported?: NonNullable<Json>;
          reported_at?: string | null;
          reported_version?: number;
          s_bat?: number;
          s_co2?: number;
          s_hum?: number;
          s_temp?: number;
          serial?: string;
          tenure_id?: number;
          tenure_started_at?: string;
          w_bat?: number[];
          w_co2?: number[];
          w_hum?: number[];
          w_temp?: number[];
        };
        Relationships: [
          {
            foreignKeyName: 'device_state_device_id_fkey';
            columns: ['device_id'];
            isOneToOne: true;
            referencedRelation: 'devices';
            referencedColumns: ['id'];
          },
        ];
      };
      device_tenures: {
        Row: {
          customer_id: string | null;
          device_id: string;
          device_num: number;
          ended_at: string | null;
          id: number;
          location_id: string | null;
          org_id: string;
          started_at: string;
        };
        ComputedFields: never;
        Insert: {
          customer_id?: string | null;
          device_id: string;
          device_num: number;
          ended_at?: string | null;
          id?: never;
          location_id?: string | null;
          org_id: string;
          started_at?: string;
        };
        Update: {
          customer_id?: string | null;
          device_id?: string;
          device_num?: number;
          ended_at?: string | null;
          id?: never;
          location_id?: string | null;
          org_id?: string;
          started_at?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'device_tenures_customer_id_fkey';
            columns: ['customer_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'device_tenures_device_id_fkey';
            columns: ['device_id'];
            isOneToOne: false;
            referencedRelation: 'devices';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'device_tenures_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      devices: {
        Row: {
          activated_at: string | null;
          attributes: NonNullable<Json>;
          claimed_at: string | null;
          created_at: string;
          customer_id: string | null;
          desired: NonNullable<Json>;
          desired_at: string | null;
          desired_times: NonNullable<Json>;
          desired_version: number;
          fw_version: string | null;
          id: string;
          lifecycle: string;
          location_id: string | null;
          maker_org_id: string;
          name: string | null;
          num: number;
          online_window_s: number | null;
          org_id: string;
          pending_fw_url: string | null;
          pending_fw_version: string | null;
          product_type: string;
          registered_at: string;
          registered_by_id: string;
          registered_by_kind: string;
          retired_at: string | null;
          serial: string;
          tags: string[];
          tenure_id: number | null;
        };
        ComputedFields: never;
        Insert: {
          activated_at?: string | null;
          attributes?: NonNullable<Json>;
          claimed_at?: string | null;
          created_at?: string;
          customer_id?: string | null;
          desired?: NonNullable<Json>;
          desired_at?: string | null;
          desired_times?: NonNullable<Json>;
          desired_version?: number;
          fw_version?: string | null;
          id?: string;
          lifecycle?: string;
          location_id?: string | null;
          maker_org_id: string;
          name?: string | null;
          num?: never;
          online_window_s?: number | null;
          org_id: string;
          pending_fw_url?: string | null;
          pending_fw_version?: string | null;
          product_type: string;
          registered_at?: string;
          registered_by_id: string;
          registered_by_kind: string;
          retired_at?: string | null;
          serial: string;
          tags?: string[];
          tenure_id?: number | null;
        };
        Update: {
          activated_at?: string | null;
          attributes?: NonNullable<Json>;
          claimed_at?: string | null;
          created_at?: string;
          customer_id?: string | null;
          desired?: NonNullable<Json>;
          desired_at?: string | null;
          desired_times?: NonNullable<Json>;
          desired_version?: number;
          fw_version?: string | null;
          id?: string;
          lifecycle?: string;
          location_id?: string | null;
          maker_org_id?: string;
          name?: string | null;
          num?: never;
          online_window_s?: number | null;
          org_id?: string;
          pending_fw_url?: string | null;
          pending_fw_version?: string | null;
          product_type?: string;
          registered_at?: string;
          registered_by_id?: string;
          registered_by_kind?: string;
          retired_at?: string | null;
          serial?: string;
          tags?: string[];
          tenure_id?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: 'devices_customer_id_fkey';
            columns: ['customer_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'devices_maker_org_id_fkey';
            columns: ['maker_org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'devices_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'devices_org_id_location_id_fkey';
            columns: ['org_id', 'location_id'];
            isOneToOne: false;
            referencedRelation: 'locations';
            referencedColumns: ['org_id', 'id'];
          },
          {
            foreignKeyName: 'devices_product_type_fkey';
            columns: ['product_type'];
            isOneToOne: false;
            referencedRelation: 'product_types';
            referencedColumns: ['key'];
          },
          {
            foreignKeyName: 'devices_tenure_id_fkey';
            columns: ['tenure_id'];
            isOneToOne: false;
            referencedRelation: 'device_tenures';
            referencedColumns: ['id'];
          },
        ];
      };
      firmware: {
        Row: {
          chip: string | null;
          created_at: string;
          created_by_id: string | null;
          created_by_kind: string;
          created_by_label: string | null;
          filename: string;
          id: string;
          idf_version: string | null;
          notes: string;
          object_path: string;
          org_id: string;
          product_type: string;
          project: string | null;
          raw: boolean;
          ready_at: string | null;
          refused_reason: string | null;
          sha256: string | null;
          signature: string | null;
          size: number;
          state: string;
          version: string | null;
        };
        ComputedFields: never;
        Insert: {
          chip?: string | null;
          created_at?: string;
          created_by_id?: string | null;
          created_by_kind: string;
          created_by_label?: string | null;
          filename: string;
          id?: string;
          idf_version?: string | null;
          notes?: string;
          object_path: string;
          org_id: string;
          product_type: string;
          project?: string | null;
          raw?: boolean;
          ready_at?: string | null;
          refused_reason?: string | null;
          sha256?: string | null;
          signature?: string | null;
          size: number;
          state?: string;
          version?: string | null;
        };
        Update: {
          chip?: string | null;
          created_at?: string;
          created_by_id?: string | null;
          created_by_kind?: string;
          created_by_label?: string | null;
          filename?: string;
          id?: string;
          idf_version?: string | null;
          notes?: string;
          object_path?: string;
          org_id?: string;
          product_type?: string;
          project?: string | null;
          raw?: boolean;
          ready_at?: string | null;
          refused_reason?: string | null;
          sha256?: string | null;
          signature?: string | null;
          size?: number;
          state?: string;
          version?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'firmware_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'firmware_product_type_fkey';
            columns: ['product_type'];
            isOneToOne: false;
            referencedRelation: 'product_types';
            referencedColumns: ['key'];
          },
        ];
      };
      invitations: {
        Row: {
          accepted_at: string | null;
          accepted_by: string | null;
          created_at: string;
          email: string;
          expires_at: string;
          id: string;
          invited_by: string | null;
          last_sent_at: string;
          location_id: string | null;
          membership_id: string | null;
          org_id: string | null;
          partner_id: string | null;
          revoked_at: string | null;
          role: string;
          sent_count: number;
          token_sha256: string;
        };
        ComputedFields: never;
        Insert: {
          accepted_at?: string | null;
          accepted_by?: string | null;
          created_at?: string;
          email: string;
          expires_at?: string;
          id?: string;
          invited_by?: string | null;
          last_sent_at?: string;
          location_id?: string | null;
          membership_id?: string | null;
          org_id?: string | null;
          partner_id?: string | null;
          revoked_at?: string | null;
          role: string;
          sent_count?: number;
          token_sha256: string;
        };
        Update: {
          accepted_at?: string | null;
          accepted_by?: string | null;
          created_at?: string;
          email?: string;
          expires_at?: string;
          id?: string;
          invited_by?: string | null;
          last_sent_at?: string;
          location_id?: string | null;
          membership_id?: string | null;
          org_id?: string | null;
          partner_id?: string | null;
          revoked_at?: string | null;
          role?: string;
          sent_count?: number;
          token_sha256?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'invitations_accepted_by_fkey';
            columns: ['accepted_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'invitations_invited_by_fkey';
            columns: ['invited_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'invitations_membership_id_fkey';
            columns: ['membership_id'];
            isOneToOne: false;
            referencedRelation: 'memberships';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'invitations_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'invitations_org_id_location_id_fkey';
            columns: ['org_id', 'location_id'];
            isOneToOne: false;
            referencedRelation: 'locations';
            referencedColumns: ['org_id', 'id'];
          },
          {
            foreignKeyName: 'invitations_partner_id_fkey';
            columns: ['partner_id'];
            isOneToOne: false;
            referencedRelation: 'partners';
            referencedColumns: ['id'];
          },
        ];
      };
      locations: {
        Row: {
          created_at: string;
          id: string;
          name: string;
          num: number;
          org_id: string;
          parent_id: string | null;
          timezone: string | null;
          type: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          id?: string;
          name: string;
          num?: never;
          org_id: string;
          parent_id?: string | null;
          timezone?: string | null;
          type: string;
        };
        Update: {
          created_at?: string;
          id?: string;
          name?: string;
          num?: never;
          org_id?: string;
          parent_id?: string | null;
          timezone?: string | null;
          type?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'locations_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'locations_org_id_parent_id_fkey';
            columns: ['org_id', 'parent_id'];
            isOneToOne: false;
            referencedRelation: 'locations';
            referencedColumns: ['org_id', 'id'];
          },
        ];
      };
      memberships: {
        Row: {
          created_at: string;
          ended_at: string | null;
          id: string;
          location_id: string | null;
          org_id: string | null;
          partner_id: string | null;
          role: string;
          user_id: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          ended_at?: string | null;
          id?: string;
          location_id?: string | null;
          org_id?: string | null;
          partner_id?: string | null;
          role: string;
          user_id: string;
        };
        Update: {
          created_at?: string;
          ended_at?: string | null;
          id?: string;
          location_id?: string | null;
          org_id?: string | null;
          partner_id?: string | null;
          role?: string;
          user_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'memberships_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'memberships_org_id_location_id_fkey';
            columns: ['org_id', 'location_id'];
            isOneToOne: false;
            referencedRelation: 'locations';
            referencedColumns: ['org_id', 'id'];
          },
          {
            foreignKeyName: 'memberships_partner_id_fkey';
            columns: ['partner_id'];
            isOneToOne: false;
            referencedRelation: 'partners';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'memberships_user_id_fkey';
            columns: ['user_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
        ];
      };
      metric_definitions: {
        Row: {
          chart: boolean;
          decimals: number;
          key: string;
          label: string;
          max_value: number | null;
          min_denominator: number | null;
          min_deviation: number | null;
          min_value: number | null;
          product_type: string;
          sort: number;
          unit: string;
          watched: boolean;
        };
        ComputedFields: never;
        Insert: {
          chart?: boolean;
          decimals?: number;
          key: string;
          label: string;
          max_value?: number | null;
          min_denominator?: number | null;
          min_deviation?: number | null;
          min_value?: number | null;
          product_type: string;
          sort?: number;
          unit?: string;
          watched?: boolean;
        };
        Update: {
          chart?: boolean;
          decimals?: number;
          key?: string;
          label?: string;
          max_value?: number | null;
          min_denominator?: number | null;
          min_deviation?: number | null;
          min_value?: number | null;
          product_type?: string;
          sort?: number;
          unit?: string;
          watched?: boolean;
        };
        Relationships: [
          {
            foreignKeyName: 'metric_definitions_product_type_fkey';
            columns: ['product_type'];
            isOneToOne: false;
            referencedRelation: 'product_types';
            referencedColumns: ['key'];
          },
        ];
      };
      notifications: {
        Row: {
          body: string;
          created_at: string;
          first_at: string;
          group_key: string | null;
          id: string;
          kind: string;
          link: string | null;
          org_id: string;
          severity: string;
          subject: NonNullable<Json>;
          times: number;
          title: string;
        };
        ComputedFields: never;
        Insert: {
          body?: string;
          created_at?: string;
          first_at?: string;
          group_key?: string | null;
          id?: string;
          kind: string;
          link?: string | null;
          org_id: string;
          severity: string;
          subject?: NonNullable<Json>;
          times?: number;
          title: string;
        };
        Update: {
          body?: string;
          created_at?: string;
          first_at?: string;
          group_key?: string | null;
          id?: string;
          kind?: string;
          link?: string | null;
          org_id?: string;
          severity?: string;
          subject?: NonNullable<Json>;
          times?: number;
          title?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'notifications_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      orgs: {
        Row: {
          brand: NonNullable<Json>;
          created_at: string;
          id: string;
          live_epoch: number;
          name: string;
          num: number;
          partner_id: string | null;
          plan: string;
          product: string | null;
          slug: string;
          timezone: string;
        };
        ComputedFields: never;
        Insert: {
          brand?: NonNullable<Json>;
          created_at?: string;
          id?: string;
          live_epoch?: number;
          name: string;
          num?: never;
          partner_id?: string | null;
          plan?: string;
          product?: string | null;
          slug: string;
          timezone?: string;
        };
        Update: {
          brand?: NonNullable<Json>;
          created_at?: string;
          id?: string;
          live_epoch?: number;
          name?: string;
          num?: never;
          partner_id?: string | null;
          plan?: string;
          product?: string | null;
          slug?: string;
          timezone?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'orgs_partner_id_fkey';
            columns: ['partner_id'];
            isOneToOne: false;
            referencedRelation: 'partners';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'orgs_product_fkey';
            columns: ['product'];
            isOneToOne: false;
            referencedRelation: 'product_types';
            referencedColumns: ['key'];
          },
        ];
      };
      ota_events: {
        Row: {
          at: string;
          detail: NonNullable<Json>;
          id: number;
          job_device_id: number | null;
          job_id: string;
          org_id: string;
          serial: string | null;
          state: string;
        };
        ComputedFields: never;
        Insert: {
          at?: string;
          detail?: NonNullable<Json>;
          id?: never;
          job_device_id?: number | null;
          job_id: string;
          org_id: string;
          serial?: string | null;
          state: string;
        };
        Update: {
          at?: string;
          detail?: NonNullable<Json>;
          id?: never;
          job_device_id?: number | null;
          job_id?: string;
          org_id?: string;
          serial?: string | null;
          state?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'ota_events_job_device_id_fkey';
            columns: ['job_device_id'];
            isOneToOne: false;
            referencedRelation: 'ota_job_devices';
            referencedColumns: ['id'];
          },
        ];
      };
      ota_job_devices: {
        Row: {
          attempt: number;
          changed_at: string;
          device_id: string;
          device_num: number;
          finished_at: string | null;
          from_version: string | null;
          id: number;
          job_id: string;
          not_before: string | null;
          old_seen_at: string | null;
          org_id: string;
          outbox_id: number | null;
          percent: number | null;
          position: number;
          queued_at: string;
          reason: string | null;
          released: boolean;
          sends: number;
          sent_at: string | null;
          serial: string;
          stage: number;
          state: string;
          timeout_at: string | null;
          zone: string;
        };
        ComputedFields: never;
        Insert: {
          attempt?: number;
          changed_at?: string;
          device_id: string;
          device_num: number;
          finished_at?: string | null;
          from_version?: string | null;
          id?: never;
          job_id: string;
          not_before?: string | null;
          old_seen_at?: string | null;
          org_id: string;
          outbox_id?: number | null;
          percent?: number | null;
          position: number;
          queued_at?: string;
          reason?: string | null;
          released?: boolean;
          sends?: number;
          sent_at?: string | null;
          serial: string;
          stage: number;
          state?: string;
          timeout_at?: string | null;
          zone: string;
        };
        Update: {
          attempt?: number;
          changed_at?: string;
          device_id?: string;
          device_num?: number;
          finished_at?: string | null;
          from_version?: string | null;
          id?: never;
          job_id?: string;
          not_before?: string | null;
          old_seen_at?: string | null;
          org_id?: string;
          outbox_id?: number | null;
          percent?: number | null;
          position?: number;
          queued_at?: string;
          reason?: string | null;
          released?: boolean;
          sends?: number;
          sent_at?: string | null;
          serial?: string;
          stage?: number;
          state?: string;
          timeout_at?: string | null;
          zone?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'ota_job_devices_device_id_fkey';
            columns: ['device_id'];
            isOneToOne: false;
            referencedRelation: 'devices';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'ota_job_devices_job_id_fkey';
            columns: ['job_id'];
            isOneToOne: false;
            referencedRelation: 'ota_jobs';
            referencedColumns: ['id'];
          },
        ];
      };
      ota_jobs: {
        Row: {
          abort_reason: Json | null;
          counting_since: string | null;
          created_at: string;
          created_by_id: string | null;
          created_by_kind: string;
          created_by_label: string | null;
          failure_min: number | null;
          failure_pct: number;
          finished_at: string | null;
          firmware_id: string;
          force: boolean;
          id: string;
          job_window: Json | null;
          name: string | null;
          number: number;
          org_id: string;
          product_type: string;
          single: boolean;
          soaking_since: string | null;
          stage: number;
          stages: NonNullable<Json>;
          started_at: string | null;
          starts_at: string | null;
          state: string;
          target: NonNullable<Json>;
          timeout_s: number;
          version: string;
        };
        ComputedFields: never;
        Insert: {
          abort_reason?: Json | null;
          counting_since?: string | null;
          created_at?: string;
          created_by_id?: string | null;
          created_by_kind: string;
          created_by_label?: string | null;
          failure_min?: number | null;
          failure_pct: number;
          finished_at?: string | null;
          firmware_id: string;
          force: boolean;
          id?: string;
          job_window?: Json | null;
          name?: string | null;
          number: number;
          org_id: string;
          product_type: string;
          single?: boolean;
          soaking_since?: string | null;
          stage?: number;
          stages: NonNullable<Json>;
          started_at?: string | null;
          starts_at?: string | null;
          state: string;
          target: NonNullable<Json>;
          timeout_s: number;
          version: string;
        };
        Update: {
          abort_reason?: Json | null;
          counting_since?: string | null;
          created_at?: string;
          created_by_id?: string | null;
          created_by_kind?: string;
          created_by_label?: string | null;
          failure_min?: number | null;
          failure_pct?: number;
          finished_at?: string | null;
          firmware_id?: string;
          force?: boolean;
          id?: string;
          job_window?: Json | null;
          name?: string | null;
          number?: number;
          org_id?: string;
          product_type?: string;
          single?: boolean;
          soaking_since?: string | null;
          stage?: number;
          stages?: NonNullable<Json>;
          started_at?: string | null;
          starts_at?: string | null;
          state?: string;
          target?: NonNullable<Json>;
          timeout_s?: number;
          version?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'ota_jobs_firmware_id_fkey';
            columns: ['firmware_id'];
            isOneToOne: false;
            referencedRelation: 'firmware';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'ota_jobs_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      partners: {
        Row: {
          contact_email: string | null;
          created_at: string;
          id: string;
          name: string;
          plan: string;
          slug: string;
        };
        ComputedFields: never;
        Insert: {
          contact_email?: string | null;
          created_at?: string;
          id?: string;
          name: string;
          plan?: string;
          slug: string;
        };
        Update: {
          contact_email?: string | null;
          created_at?: string;
          id?: string;
          name?: string;
          plan?: string;
          slug?: string;
        };
        Relationships: [];
      };
      plan_limits: {
        Row: {
          max_devices: number | null;
          max_orgs: number | null;
          max_users: number | null;
          plan: string;
        };
        ComputedFields: never;
        Insert: {
          max_devices?: number | null;
          max_orgs?: number | null;
          max_users?: number | null;
          plan: string;
        };
        Update: {
          max_devices?: number | null;
          max_orgs?: number | null;
          max_users?: number | null;
          plan?: string;
        };
        Relationships: [];
      };
      product_type_keys: {
        Row: {
          created_at: string;
          maker_org_id: string;
          product_type: string;
          public_key: string;
          secret_id: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          maker_org_id: string;
          product_type: string;
          public_key: string;
          secret_id: string;
        };
        Update: {
          created_at?: string;
          maker_org_id?: string;
          product_type?: string;
          public_key?: string;
          secret_id?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'product_type_keys_maker_org_id_fkey';
            columns: ['maker_org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'product_type_keys_product_type_fkey';
            columns: ['product_type'];
            isOneToOne: false;
            referencedRelation: 'product_types';
            referencedColumns: ['key'];
          },
        ];
      };
      product_types: {
        Row: {
          chip: string | null;
          controllable_keys: string[];
          created_at: string;
          health: NonNullable<Json>;
          key: string;
          maker_org_id: string | null;
          name: string;
          online_window_s: number;
          ota_public_key: string | null;
          telemetry_interval_s: number;
        };
        ComputedFields: never;
        Insert: {
          chip?: string | null;
          controllable_keys?: string[];
          created_at?: string;
          health?: NonNullable<Json>;
          key: string;
          maker_org_id?: string | null;
          name: string;
          online_window_s?: number;
          ota_public_key?: string | null;
          telemetry_interval_s?: number;
        };
        Update: {
          chip?: string | null;
          controllable_keys?: string[];
          created_at?: string;
          health?: NonNullable<Json>;
          key?: string;
          maker_org_id?: string | null;
          name?: string;
          online_window_s?: number;
          ota_public_key?: string | null;
          telemetry_interval_s?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'product_types_maker_org_id_fkey';
            columns: ['maker_org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      profiles: {
        Row: {
          created_at: string;
          email: string | null;
          full_name: string | null;
          id: string;
          preferences: NonNullable<Json>;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          email?: string | null;
          full_name?: string | null;
          id: string;
          preferences?: NonNullable<Json>;
        };
        Update: {
          created_at?: string;
          email?: string | null;
          full_name?: string | null;
          id?: string;
          preferences?: NonNullable<Json>;
        };
        Relationships: [];
      };
      provisioning_keys: {
        Row: {
          created_at: string;
          created_by: string | null;
          expires_at: string | null;
          id: string;
          key_sha256: string;
          last_used_at: string | null;
          max_count: number | null;
          mode: string;
          name: string;
          org_id: string;
          prefix: string;
          product_type: string;
          revoked_at: string | null;
          serial_prefix: string | null;
          used_count: number;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          created_by?: string | null;
          expires_at?: string | null;
          id?: string;
          key_sha256: string;
          last_used_at?: string | null;
          max_count?: number | null;
          mode?: string;
          name: string;
          org_id: string;
          prefix: string;
          product_type: string;
          revoked_at?: string | null;
          serial_prefix?: string | null;
          used_count?: number;
        };
        Update: {
          created_at?: string;
          created_by?: string | null;
          expires_at?: string | null;
          id?: string;
          key_sha256?: string;
          last_used_at?: string | null;
          max_count?: number | null;
          mode?: string;
          name?: string;
          org_id?: string;
          prefix?: string;
          product_type?: string;
          revoked_at?: string | null;
          serial_prefix?: string | null;
          used_count?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'provisioning_keys_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'provisioning_keys_org_id_fkey';
            columns: ['org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'provisioning_keys_product_type_fkey';
            columns: ['product_type'];
            isOneToOne: false;
            referencedRelation: 'product_types';
            referencedColumns: ['key'];
          },
        ];
      };
      rollups_15m: {
        Row: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        ComputedFields: never;
        Insert: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        Update: {
          bucket?: string;
          counts?: number[];
          device_num?: number;
          keys?: string[];
          maxs?: number[];
          mins?: number[];
          org_num?: number;
          sums?: number[];
          tenure_id?: number;
        };
        Relationships: [];
      };
      rollups_1d: {
        Row: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        ComputedFields: never;
        Insert: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        Update: {
          bucket?: string;
          counts?: number[];
          device_num?: number;
          keys?: string[];
          maxs?: number[];
          mins?: number[];
          org_num?: number;
          sums?: number[];
          tenure_id?: number;
        };
        Relationships: [];
      };
      rollups_1h: {
        Row: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        ComputedFields: never;
        Insert: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        Update: {
          bucket?: string;
          counts?: number[];
          device_num?: number;
          keys?: string[];
          maxs?: number[];
          mins?: number[];
          org_num?: number;
          sums?: number[];
          tenure_id?: number;
        };
        Relationships: [];
      };
      rollups_1m: {
        Row: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        ComputedFields: never;
        Insert: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        Update: {
          bucket?: string;
          counts?: number[];
          device_num?: number;
          keys?: string[];
          maxs?: number[];
          mins?: number[];
          org_num?: number;
          sums?: number[];
          tenure_id?: number;
        };
        Relationships: [];
      };
      rollups_5m: {
        Row: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        ComputedFields: never;
        Insert: {
          bucket: string;
          counts: number[];
          device_num: number;
          keys: string[];
          maxs: number[];
          mins: number[];
          org_num: number;
          sums: number[];
          tenure_id: number;
        };
        Update: {
          bucket?: string;
          counts?: number[];
          device_num?: number;
          keys?: string[];
          maxs?: number[];
          mins?: number[];
          org_num?: number;
          sums?: number[];
          tenure_id?: number;
        };
        Relationships: [];
      };
      room_codes: {
        Row: {
          code_sha256: string;
          created_at: string;
          created_by: string | null;
          ended_reason: string | null;
          expires_at: string | null;
          id: string;
          location_id: string;
          org_id: string;
          revoked_at: string | null;
          version: number;
        };
        ComputedFields: never;
        Insert: {
          code_sha256: string;
          created_at?: string;
          created_by?: string | null;
          ended_reason?: string | null;
          expires_at?: string | null;
          id?: string;
          location_id: string;
          org_id: string;
          revoked_at?: string | null;
          version: number;
        };
        Update: {
          code_sha256?: string;
          created_at?: string;
          created_by?: string | null;
          ended_reason?: string | null;
          expires_at?: string | null;
          id?: string;
          location_id?: string;
          org_id?: string;
          revoked_at?: string | null;
          version?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'room_codes_created_by_fkey';
            columns: ['created_by'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'room_codes_org_id_location_id_fkey';
            columns: ['org_id', 'location_id'];
            isOneToOne: false;
            referencedRelation: 'locations';
            referencedColumns: ['org_id', 'id'];
          },
        ];
      };
      serial_prefixes: {
        Row: {
          created_at: string;
          maker_org_id: string;
          prefix: string;
        };
        ComputedFields: never;
        Insert: {
          created_at?: string;
          maker_org_id: string;
          prefix: string;
        };
        Update: {
          created_at?: string;
          maker_org_id?: string;
          prefix?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'serial_prefixes_maker_org_id_fkey';
            columns: ['maker_org_id'];
            isOneToOne: false;
            referencedRelation: 'orgs';
            referencedColumns: ['id'];
          },
        ];
      };
      telemetry: {
        Row: {
          data: NonNullable<Json>;
          device_num: number;
          org_num: number;
          received_at: string;
          seq: number | null;
          tenure_id: number;
          ts: string;
        };
        ComputedFields: never;
        Insert: {
          data: NonNullable<Json>;
          device_num: number;
          org_num: number;
          received_at?: string;
          seq?: number | null;
          tenure_id: number;
          ts: string;
        };
        Update: {
          data?: NonNullable<Json>;
          device_num?: number;
          org_num?: number;
          received_at?: string;
          seq?: number | null;
          tenure_id?: number;
          ts?: string;
        };
        Relationships: [];
      };
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      [_ in never]: never;
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, 'public'>];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    keyof (DefaultSchema['Tables'] & DefaultSchema['Views']) | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views'])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views'])[TableName] extends {
      Row: infer R;
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema['Tables'] & DefaultSchema['Views'])
    ? (DefaultSchema['Tables'] & DefaultSchema['Views'])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R;
      }
      ? R
      : never
    : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    keyof DefaultSchema['Tables'] | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
      Insert: infer I;
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I;
      }
      ? I
      : never
    : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    keyof DefaultSchema['Tables'] | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
      Update: infer U;
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U;
      }
      ? U
      : never
    : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    keyof DefaultSchema['Enums'] | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums']
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums'][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema['Enums']
    ? DefaultSchema['Enums'][DefaultSchemaEnumNameOrOptions]
    : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    keyof DefaultSchema['CompositeTypes'] | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes']
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes'][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema['CompositeTypes']
    ? DefaultSchema['CompositeTypes'][PublicCompositeTypeNameOrOptions]
    : never;

export const Constants = {
  public: {
    Enums: {},
  },
} as const;
