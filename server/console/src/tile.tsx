// A number large enough to be seen from afar.
export function Tile({ title, value, note }: { title: string; value: string; note?: string }) {
  return (
    <div class="tile">
      <span>{title}</span>
      <strong>{value}</strong>
      <small>{note}</small>
    </div>
  );
}
