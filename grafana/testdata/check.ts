// The types of a dashboard as it stands in a file: Grafana's own, with words in
// place of enumerations, and with the options and custom fields of each kind of
// panel that is used here.
import type * as schema from '@grafana/schema';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type * as statetimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';

type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends Array<infer U>
      ? Plain<U>[]
      : { [K in keyof T]: Plain<T[K]> };

// What the InfluxDB data source asks with; Grafana publishes no types of it.
interface Question extends schema.DataQuery {
  query: string;
  rawQuery: boolean;
  resultFormat?: 'time_series' | 'table';
  alias?: string;
}
interface AnnotationQuestion extends Question {
  fromAnnotations: boolean;
  textEditor: boolean;
  textColumn: string;
  tagsColumn: string;
}

type Of<Type extends string, Options, Custom> = Omit<schema.Panel, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  type: Type;
  options: Options;
  targets: Question[];
  fieldConfig: Omit<schema.FieldConfigSource, 'defaults'> & {
    defaults: Omit<schema.FieldConfig, 'custom'> & { custom?: Custom };
  };
};
type Panel =
  | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Of<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | Of<'stat', stat.Options, never>
  | Of<'table', table.Options, Partial<table.FieldConfig>>;

type Dashboard = Omit<schema.Dashboard, 'panels' | 'annotations'> & {
  panels: Panel[];
  annotations: { list: schema.AnnotationQuery<AnnotationQuestion>[] };
};

export const dashboard: Plain<Dashboard> = /* dashboard */;
