import type { ComponentChildren } from 'preact';

export interface TableField<Row> {
  title: string;
  number?: boolean;
  pinned?: boolean; // stays in view when the table is wider
  cell(row: Row): ComponentChildren;
}

function classOf<Row>(field: TableField<Row>): string {
  return [field.number && 'is-number', field.pinned && 'is-pinned'].filter(Boolean).join(' ');
}

// A few hundred rows at most; results of queries have ResultGrid.
export function DataTable<Row>({ rows, fields, rowKey }: { rows: Row[]; fields: TableField<Row>[]; rowKey(row: Row): string | number }) {
  return (
    <div class="table-scroll">
      <table class="data">
        <thead>
          <tr>{fields.map((field) => <th class={classOf(field)}>{field.title}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>{fields.map((field) => <td class={classOf(field)}>{field.cell(row)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
